/**
 * From the outcome of a merge to what the work tree is to have, whether it is committed or not.
 * @module
 */
import { toHex } from '../base/bytes.js'
import { defaultCrypto as crypto } from '../crypto/default.js'
import type { Conflict } from '../history/conflict.js'
import { encodeConflicts } from '../history/conflict.js'
import type { MergeOutcome } from '../history/merge.js'
import type { PathPut } from '../history/path-entry.js'
import { isText } from '../lines/split.js'
import { formatLseq } from '../lseq/lseq.js'
import { formatPath } from '../repo/path-text.js'
import type { Tracked, WorkIndex } from './index-file.js'
import { type FileTarget, storedContent } from './operation.js'
import type { OpenConflicts } from './state.js'

/** What the work tree is to have at the paths that a merge changes. */
export interface MergedTree {
  /** By path; undefined where nothing is to be. */
  readonly tracked: ReadonlyMap<string, Tracked | undefined>
  /** Where the contents are to be had while no version of the merge is stored. */
  readonly source: (path: string) => Pick<FileTarget, 'bytes' | 'stored'>
}

/**
 * @param sides - Hex ids of the versions that were merged.
 */
export function mergedTree(
  { paths }: MergeOutcome,
  sides: { readonly left: string; readonly right: string },
): MergedTree {
  const tracked = new Map<string, Tracked | undefined>()
  const sources = new Map<string, Pick<FileTarget, 'bytes' | 'stored'>>()
  for (const { path, put } of paths) {
    if (put === undefined) {
      tracked.set(path, undefined)
      continue
    }
    const { mode, file, content } = put
    if ('put' in content) {
      const { size, sha256, chunked } = content.put
      tracked.set(path, { path, mode, file, size, sha256, chunked, stat: undefined })
      sources.set(path, { stored: storedContent(content.put, sides[content.from]) })
    } else {
      const made: PathPut = {
        mode,
        file,
        size: content.length,
        sha256: crypto.sha256(content),
        chunked: !isText(content),
      }
      tracked.set(path, { path, ...made, stat: undefined })
      sources.set(path, { bytes: content })
    }
  }
  return { tracked, source: (path) => sources.get(path) ?? {} }
}

/** Stats of files whose content does not change go on to hold. */
export function keepingStats(
  index: WorkIndex,
  tracked: ReadonlyMap<string, Tracked | undefined>,
): Map<string, Tracked | undefined> {
  return new Map(
    [...tracked].map(([path, one]) => {
      const old = index.get(path)
      const isSame = one !== undefined && old !== undefined && toHex(old.sha256) === toHex(one.sha256)
      return [path, isSame && old.mode === one.mode ? { ...one, stat: old.stat } : one]
    }),
  )
}

/** Conflicts as a work tree keeps them. */
export function toOpen(
  conflicts: readonly Conflict[],
  { tracked }: MergedTree,
  sides: { readonly left: string; readonly right: string },
): OpenConflicts | undefined {
  if (conflicts.length === 0) return undefined
  const texts: Record<string, string> = {}
  for (const { path } of conflicts) {
    const one = tracked.get(path)
    if (one !== undefined) texts[formatPath(path)] = toHex(one.sha256)
  }
  return { data: toHex(encodeConflicts(conflicts)), texts, ...sides }
}

/** The files at paths that the version the work tree stands on does not have. */
export function newPlaces({ tracked }: MergedTree, index: WorkIndex): Record<string, string> {
  const files: Record<string, string> = {}
  for (const [path, one] of tracked) {
    if (one === undefined || index.get(path) !== undefined) continue
    files[formatPath(path)] = formatLseq(one.file.seq, one.file.stream)
  }
  return files
}
