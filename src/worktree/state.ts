/**
 * What is under way in a work tree: a merge, names that files were given, a search for a bad version, what was shelved.
 *
 *     .weft/state.json     one JSON object; absent where nothing is under way
 *
 * Part of what an operation changes, and so of what undo brings back.
 * @module
 */
import { existsSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { encodeUtf8 } from '../base/bytes.js'
import { CodedError } from '../base/error.js'
import { writeDurably } from '../repo/durable.js'
import { type Head, WEFT_DIRECTORY } from '../repo/layout.js'

/** A merge that has not been committed. */
export interface MergeUnderWay {
  /** Hex ids of the versions that are joined to the one the work tree stands on. */
  readonly parents: readonly string[]
  /** What was asked for, for messages: a branch's name or an id. */
  readonly names: readonly string[]
  readonly squash?: boolean
  /** What the version that ends it says, unless something else is said. */
  readonly message: string
}

/** Conflicts that are not resolved. */
export interface OpenConflicts {
  /** The conflicts as history/conflict.ts encodes them, hex. */
  readonly data: string
  /** SHA-256 (hex) of the text with markers, by path: what the work tree was given. */
  readonly texts: Readonly<Record<string, string>>
  /** Hex ids of the versions that were merged. */
  readonly left: string
  readonly right: string
}

/** A version that is picked or reverted and could not be finished because of conflicts. */
export interface PickUnderWay {
  readonly kind: 'pick' | 'revert'
  readonly version: string
  readonly message: string
}

/** Unsaved changes that were put aside. */
export interface Shelf {
  /** Hex id of the version that holds them; its parent is the version that they were made on. */
  readonly version: string
  readonly message: string
  readonly branch?: string | undefined
  /** ISO 8601. */
  readonly time: string
}

/** A search for the first bad version. Versions are hex ids. */
export interface BisectUnderWay {
  /** Where the work tree stood before. */
  readonly start: Head
  readonly bad?: string | undefined
  readonly good: readonly string[]
  /** Those that cannot be tested. */
  readonly skipped: readonly string[]
  /** What was said, in order: `bad <id>`. */
  readonly log: readonly string[]
}

/** All that is under way. Paths are text, as results write them. */
export interface WorkState {
  readonly merge?: MergeUnderWay | undefined
  readonly pick?: PickUnderWay | undefined
  /** Also those of the version that the work tree stands on, where it was committed with them. */
  readonly conflicts?: OpenConflicts | undefined
  /** New path -> path in the base version, for files that `mv` moved. */
  readonly moves?: Readonly<Record<string, string>> | undefined
  /** Which files (lseqs as text) a merge under way put at paths that the base version does not have. */
  readonly files?: Readonly<Record<string, string>> | undefined
  /** Hex ids of versions from which lines of the next one may have come, though it does not stand on them. */
  readonly sources?: readonly string[] | undefined
  readonly bisect?: BisectUnderWay | undefined
  readonly shelves?: readonly Shelf[] | undefined
}

function statePath(root: string): string {
  return join(root, WEFT_DIRECTORY, 'state.json')
}

/** @throws {CodedError} `STATE_DAMAGED`. */
export function readState(root: string): WorkState {
  const path = statePath(root)
  if (!existsSync(path)) return {}
  try {
    const state: unknown = JSON.parse(readFileSync(path, 'utf8'))
    if (typeof state === 'object' && state !== null && !Array.isArray(state)) return state
  } catch {
    // Told below.
  }
  throw new CodedError('STATE_DAMAGED', `${path} is damaged.`, {
    hint: 'It says what is under way (a merge, say). Remove it to go on without.',
  })
}

/** Writes the state, durably; an empty one leaves no file. */
export function writeState(root: string, state: WorkState): void {
  const text = JSON.stringify(state)
  if (text === '{}') rmSync(statePath(root), { force: true })
  else writeDurably(statePath(root), encodeUtf8(`${text}\n`), 0o666)
}
