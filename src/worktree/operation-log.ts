/**
 * The log of operations: what each command changed, kept so that it can be undone.
 *
 *     .weft/operations/<number, 8 digits>.json     one JSON object each, never changed but for ids (renumbered.ts)
 *     .weft/operations/pending                     one that is being done: the journal
 *
 * Undo is an operation too. Each record says which operation would be undone next (`top`), which one after that
 * (`below`), and which could be done again (`redo`), so the last record alone tells where one stands.
 * @module
 */
import { existsSync, readdirSync, readFileSync, renameSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { encodeUtf8 } from '../base/bytes.js'
import { CodedError } from '../base/error.js'
import { makeDirectory, syncDirectory, writeDurably } from '../repo/durable.js'
import { type Head, WEFT_DIRECTORY } from '../repo/layout.js'
import type { WorkState } from './state.js'

/** The form of records that this code reads and writes. */
export const OPERATION_FORMAT = 1

/** A file at one moment. Its content is in the store, or was kept (kept.ts). */
export interface FileRecord {
  /** Octal text. */
  readonly mode: string
  /** Hex. */
  readonly sha256: string
  readonly stored?: StoredContent
}

/** A content that a version has. */
export interface StoredContent {
  /** Hex id of the version. */
  readonly at: string
  /** The file that has it there: lseq as text. */
  readonly file: string
  readonly size: number
  readonly chunked: boolean
}

/** What became of a name. Values are those of ref entries without what they replace, hex; none where there was no such name. */
export interface RefRecord {
  readonly kind: 'b' | 't' | 's'
  /** Binary string. */
  readonly name: string
  readonly before: readonly string[]
  readonly after: readonly string[]
}

/** What an operation changed. */
export interface OperationRecord {
  readonly format: number
  readonly number: number
  /** ISO 8601. */
  readonly time: string
  /** The command's name: `commit`. */
  readonly command: string
  /** What it did, in a line. */
  readonly summary: string
  /** The operation that this one undid or did again. */
  readonly undid?: number
  readonly redid?: number
  readonly top: number
  readonly below: number
  readonly redo: readonly number[]
  readonly head: { readonly before: Head; readonly after: Head }
  readonly state: { readonly before: WorkState; readonly after: WorkState }
  readonly refs: readonly RefRecord[]
  readonly files: readonly {
    /** Text, as results write it. */
    readonly path: string
    readonly before: FileRecord | null
    readonly after: FileRecord | null
  }[]
  /** Key of an entry that is in the store once the operation's entries are, hex; none where there are no entries. */
  readonly marker?: string
}

/** Where the next operation stands. */
export interface LogPlace {
  readonly number: number
  readonly top: number
  readonly redo: readonly number[]
}

function directory(root: string): string {
  return join(root, WEFT_DIRECTORY, 'operations')
}

function recordPath(root: string, number: number): string {
  return join(directory(root), `${String(number).padStart(8, '0')}.json`)
}

function pendingPath(root: string): string {
  return join(directory(root), 'pending')
}

/** Numbers of all operations, the last first. */
export function operationNumbers(root: string): number[] {
  if (!existsSync(directory(root))) return []
  const names = readdirSync(directory(root)).filter((name) => /^\d{8,}\.json$/.test(name))
  return names.map((name) => Number.parseInt(name, 10)).sort((a, b) => b - a)
}

/** @throws {CodedError} `OPERATION_DAMAGED`, `OPERATION_UNKNOWN`. */
export function readOperation(root: string, number: number): OperationRecord {
  const path = recordPath(root, number)
  if (existsSync(path)) return parseRecord(path)
  throw new CodedError('OPERATION_UNKNOWN', `There is no operation ${number} here.`, {
    hint: '`weft op log` shows those there are.',
  })
}

/** Where the log stands. */
export function logPlace(root: string): LogPlace {
  const [last] = operationNumbers(root)
  if (last === undefined) return { number: 1, top: 0, redo: [] }
  const { top, redo } = readOperation(root, last)
  return { number: last + 1, top, redo }
}

/** Writes the journal: what is about to be done. It is on the disk when this returns. */
export function beginOperation(root: string, record: OperationRecord): void {
  makeDirectory(directory(root))
  writeDurably(pendingPath(root), encodeUtf8(`${JSON.stringify(record, null, 1)}\n`))
}

/** Whether an operation was begun and not ended. */
export function isPending(root: string): boolean {
  return existsSync(pendingPath(root))
}

/** The operation that was begun and not ended. */
export function pendingOperation(root: string): OperationRecord | undefined {
  const path = pendingPath(root)
  return existsSync(path) ? parseRecord(path) : undefined
}

/** Puts the journal into the log, once all that was done before is on the disk. */
export function endOperation(root: string, { number }: OperationRecord): void {
  syncDirectory(join(root, WEFT_DIRECTORY))
  renameSync(pendingPath(root), recordPath(root, number))
}

/**
 * Rewrites records, the journal included, that name versions which have other ids now. A record that stays the same is left
 * alone, and one that cannot be read is: nothing but undo needs it.
 */
export function rewriteOperations(root: string, rewrite: (record: OperationRecord) => OperationRecord): void {
  const paths = operationNumbers(root).map((number) => recordPath(root, number))
  if (isPending(root)) paths.push(pendingPath(root))
  for (const path of paths) {
    const before = readableRecord(path)
    const after = before && rewrite(before)
    if (JSON.stringify(before) === JSON.stringify(after)) continue
    writeDurably(path, encodeUtf8(`${JSON.stringify(after, null, 1)}\n`))
  }
}

function readableRecord(path: string): OperationRecord | undefined {
  try {
    return parseRecord(path)
  } catch (error) {
    if (error instanceof CodedError) return undefined
    throw error
  }
}

/** Forgets the journal of an operation of which nothing was done. */
export function dropOperation(root: string): void {
  rmSync(pendingPath(root), { force: true })
}

function parseRecord(path: string): OperationRecord {
  try {
    const record = JSON.parse(readFileSync(path, 'utf8')) as OperationRecord
    if (record.format === OPERATION_FORMAT && Array.isArray(record.files) && Array.isArray(record.refs)) return record
  } catch {
    // Told below.
  }
  throw new CodedError('OPERATION_DAMAGED', `The record of an operation, ${path}, is damaged or of a newer weft.`, {
    hint: 'Nothing but undo needs it: move it away to go on without.',
  })
}
