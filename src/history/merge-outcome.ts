/**
 * What a merge comes to: plain data, relative to the left state.
 * @module
 */
import type { Lseq } from '../lseq/lseq.js'
import type { Vector } from '../lseq/vector.js'
import type { Conflict, Region } from './conflict.js'
import type { SideName } from './merge-cases.js'
import type { PathPut } from './path-entry.js'

/** A side's content, as it is: that of `put`, to be read at this side's vector. */
export interface TakenContent {
  readonly from: SideName
  readonly put: PathPut
}

/** A path of the merged tree that is not what the left state has there. */
export interface MergedPath {
  /** Binary string. */
  readonly path: string
  /** What the left state has there. */
  readonly left?: PathPut
  /** What is there after the merge; without it the path is deleted. */
  readonly put?: {
    readonly mode: number
    /** The file that goes on here. */
    readonly file: Lseq
    readonly content: Uint8Array | TakenContent
  }
}

/** A clean part of the merged tree that deserves a look. */
export interface NearMiss {
  /** Binary string. */
  readonly path: string
  /** Where both sides changed lines not far from each other. */
  readonly regions: readonly Region[]
  /** For a new file whose directory the other side moved: where to. Binary string. */
  readonly movedTo?: string
}

/** The outcome of a merge. */
export interface MergeOutcome {
  /** `already`: the left state covers the right one. `fast-forward`: the right one covers the left one. */
  readonly kind: 'already' | 'fast-forward' | 'merge'
  /** The latest states in common, newest first. */
  readonly bases: readonly Vector[]
  /** In byte order of paths. */
  readonly paths: readonly MergedPath[]
  readonly conflicts: readonly Conflict[]
  readonly near: readonly NearMiss[]
}
