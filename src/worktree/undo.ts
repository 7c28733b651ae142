/**
 * Undo and redo: what an operation changed, the other way round.
 *
 * Both are operations themselves. Contents that were replaced come back from where they were kept, and what is replaced by
 * undoing is kept in turn, so nothing is ever beyond reach.
 * @module
 */
import { fromHex } from '../base/bytes.js'
import { CodedError } from '../base/error.js'
import { defaultCrypto as crypto } from '../crypto/default.js'
import { decodeRefValue } from '../history/refs.js'
import { formatMode } from '../repo/mode.js'
import { parsePath } from '../repo/path-text.js'
import type { Failure } from './apply.js'
import { keptContent } from './kept.js'
import { type FileMove, type FileTarget, type RefMove, refText } from './operation.js'
import {
  type FileRecord,
  logPlace,
  type OperationRecord,
  operationNumbers,
  type RefRecord,
  readOperation,
} from './operation-log.js'
import { rebuildIndex } from './rebuild.js'
import { readWorkFile } from './work-files.js'
import type { Worktree } from './worktree.js'

/** One operation, as `op log` lists it. */
export interface OperationInfo {
  readonly number: number
  /** ISO 8601. */
  readonly time: string
  readonly command: string
  readonly summary: string
  /** Whether undo would take it back next, has taken it back, or can do neither. */
  readonly undone: boolean
  readonly files: number
  readonly refs: number
}

export interface UndoReport {
  /** What was undone or done again, in this order. */
  readonly operations: readonly OperationInfo[]
  readonly failures: readonly Failure[]
}

/** The last operations, the last first. */
export function* operations(root: string, limit = Number.POSITIVE_INFINITY): Generator<OperationInfo> {
  const { redo } = logPlace(root)
  const undone = new Set(redo)
  for (const number of operationNumbers(root).slice(0, limit))
    yield infoOf(readOperation(root, number), undone.has(number))
}

function infoOf({ number, time, command, summary, files, refs }: OperationRecord, undone: boolean): OperationInfo {
  return { number, time, command, summary, undone, files: files.length, refs: refs.length }
}

/**
 * Takes back the last operations.
 *
 * @param force - Also where files have been changed since; what they hold is kept, and `redo` brings it back.
 * @throws {CodedError} `NOTHING_TO_UNDO`, `WOULD_LOSE`.
 */
export async function undo(work: Worktree, count = 1, force = false): Promise<UndoReport> {
  const undone: OperationInfo[] = []
  const failures: Failure[] = []
  for (let i = 0; i < count; i++) {
    const { top } = logPlace(work.root)
    if (top === 0) {
      if (undone.length > 0) break
      throw new CodedError('NOTHING_TO_UNDO', 'There is nothing to undo.', {
        hint: '`weft op log` shows what was done.',
      })
    }
    const record = readOperation(work.root, top)
    failures.push(...(await turn(work, record, 'before', force).catch((error) => stopped(error, undone.length))))
    undone.push(infoOf(record, true))
  }
  return { operations: undone, failures }
}

/**
 * Does again what was undone last.
 *
 * @throws {CodedError} `NOTHING_TO_REDO`, `WOULD_LOSE`.
 */
export async function redo(work: Worktree, count = 1, force = false): Promise<UndoReport> {
  const redone: OperationInfo[] = []
  const failures: Failure[] = []
  for (let i = 0; i < count; i++) {
    const [next] = logPlace(work.root).redo
    if (next === undefined) {
      if (redone.length > 0) break
      throw new CodedError('NOTHING_TO_REDO', 'There is nothing to do again.', {
        hint: 'What was undone can be done again until something else is done.',
      })
    }
    const record = readOperation(work.root, next)
    failures.push(...(await turn(work, record, 'after', force).catch((error) => stopped(error, redone.length))))
    redone.push(infoOf(record, false))
  }
  return { operations: redone, failures }
}

/** Brings refs, files and what is under way to one side of an operation. */
async function turn(
  work: Worktree,
  record: OperationRecord,
  side: 'before' | 'after',
  force: boolean,
): Promise<readonly Failure[]> {
  const other = side === 'before' ? 'after' : 'before'
  const files: FileMove[] = []
  const lost: string[] = []
  for (const file of record.files) {
    const path = parsePath(file.path)
    if (!force && !isAs(work.root, path, file[other]) && !isAs(work.root, path, file[side])) lost.push(file.path)
    const to = file[side]
    files.push({ path, to: to === null ? undefined : targetOf(work.root, to) })
  }
  if (lost.length > 0) throw changedSince(record, lost, side)
  const head = isEqual(record.head.before, record.head.after) ? work.head : record.head[side]
  const isMoved = head.version !== work.head.version
  const { failures } = await work.perform({
    command: side === 'before' ? 'undo' : 'redo',
    // Else it would grow each time that somebody goes back and forth.
    summary: record.command === 'redo' ? record.summary : `${record.command}: ${record.summary}`,
    refs: record.refs.map((ref) => moveOf(ref, side, other)),
    files,
    head,
    ...(isMoved ? { index: await rebuildIndex(work.repo, head.version, work.index) } : {}),
    ...(isEqual(record.state.before, record.state.after) ? {} : { state: record.state[side] }),
    ...(side === 'before' ? { undid: record.number } : { redid: record.number }),
  })
  return failures
}

/** Whether an operation left something as it was. Records are JSON, and written with their keys in one order. */
function isEqual(before: unknown, after: unknown): boolean {
  return JSON.stringify(before) === JSON.stringify(after)
}

function isAs(root: string, path: string, record: FileRecord | null): boolean {
  const found = readWorkFile(root, path)
  if (found === undefined || record === null) return found === undefined && record === null
  return formatMode(found.mode) === record.mode && crypto.sha256Hex(found.bytes) === record.sha256
}

function targetOf(root: string, { mode, sha256, stored }: FileRecord): FileTarget {
  const known = { mode: Number.parseInt(mode, 8), sha256 }
  return stored === undefined ? { ...known, bytes: keptContent(root, sha256) } : { ...known, stored }
}

/** Values that somebody else gave the name in the meantime stay beside. */
function moveOf(
  { kind, name, before, after }: RefRecord,
  side: 'before' | 'after',
  other: 'before' | 'after',
): RefMove {
  const sides = { before, after }
  const replaced = new Set(sides[other])
  return {
    kind,
    name,
    to: sides[side].map((text) => decodeRefValue(fromHex(text) as Uint8Array)),
    keeps: ({ value }) => !replaced.has(refText(value)),
  }
}

/** Goes on with what stopped one of several operations, and says that those before it are done. */
function stopped(error: unknown, done: number): never {
  if (done === 0 || !(error instanceof CodedError)) throw error
  const { code, message, hint = '', data } = error
  const before = done === 1 ? 'The one before it is done.' : `The ${done} before it are done.`
  throw new CodedError(code, `${message} ${before}`, { hint, data: { ...data, done }, cause: error })
}

function changedSince(
  { number, command }: OperationRecord,
  paths: readonly string[],
  side: 'before' | 'after',
): CodedError {
  const word = side === 'before' ? 'undo' : 'redo'
  return new CodedError(
    'WOULD_LOSE',
    `Files have been changed since operation ${number} (${command}): ${paths.slice(0, 5).join(', ')}.`,
    {
      hint: `Commit or shelve them first. \`weft ${word} --force\` goes ahead and keeps what they hold.`,
      data: { paths },
    },
  )
}
