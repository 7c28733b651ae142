/**
 * An operation: everything that one command changes, of refs, entries, files and what is under way, done as a whole.
 *
 *     0  is there room for all of it?                                                       room.ts
 *     1  what is in the work tree, will be replaced, and is in no version, is kept          kept.ts
 *        new contents are written beside                                                    stage.ts
 *     2  the journal: what is going to be changed, from what to what                        operation-log.ts
 *     3  new entries and refs, in one atomic batch
 *     4  files, one by one                                                                  apply.ts
 *     5  state, index and head
 *     6  the journal becomes the record by which all of it can be undone
 *
 * Killed before 3 nothing has happened; after 3 whoever comes next goes on from there (`finishPending`): every step can be
 * done twice. A file that somebody changed in between is left alone.
 * @module
 */
import { compareBytes, fromHex, toHex } from '../base/bytes.js'
import { CodedError } from '../base/error.js'
import { getOrMake } from '../base/map.js'
import { defaultCrypto as crypto } from '../crypto/default.js'
import type { RefKind } from '../history/keys.js'
import type { PathPut } from '../history/path-entry.js'
import { type RefChange, refEntries } from '../history/ref-log.js'
import { encodeRefValue, isDeletion, type Ref, type RefValue, readRefs } from '../history/refs.js'
import type { Entry } from '../lseq/batch.js'
import type { EntryStore } from '../lseq/entries.js'
import { formatLseq, lseqOfKey } from '../lseq/lseq.js'
import type { Operation as StoreOperation } from '../lseq/store.js'
import { renewHeadsNote } from '../repo/heads-note.js'
import { identNow } from '../repo/ident.js'
import { type Head, writeHead } from '../repo/layout.js'
import { formatMode } from '../repo/mode.js'
import { formatPath } from '../repo/path-text.js'
import type { Author } from '../repo/person.js'
import type { Repository } from '../repo/repository.js'
import { type Failure, FileWork } from './apply.js'
import { type FileStat, fileStat, sameStat } from './file-stat.js'
import { WorkIndex } from './index-file.js'
import { keepContent } from './kept.js'
import {
  beginOperation,
  dropOperation,
  endOperation,
  type FileRecord,
  isPending,
  logPlace,
  OPERATION_FORMAT,
  type OperationRecord,
  pendingOperation,
  type RefRecord,
  readOperation,
  type StoredContent,
} from './operation-log.js'
import { rebuildIndex } from './rebuild.js'
import { settleRenumbered } from './renumbered.js'
import { assertRoom, foldsNames, isAlias } from './room.js'
import { settled } from './settle.js'
import { readState, type WorkState, writeState } from './state.js'
import { lookAt, modeOf, readWorkFile } from './work-files.js'

/** What a name is to be. */
export interface RefMove {
  readonly kind: RefKind
  /** Binary string. */
  readonly name: string
  /** The values it is to have, without what they replace; none deletes it. */
  readonly to: readonly Omit<RefValue, 'replaces'>[]
  /** Which of the values it has stay beside; none by default. */
  readonly keeps?: (head: Ref) => boolean
}

/** What the work tree is to have at a path. */
export interface FileMove {
  /** Binary string. */
  readonly path: string
  /** Undefined for a path at which nothing is to be. */
  readonly to: FileTarget | undefined
}

/** A mode and a content: bytes at hand, those that a version has, or both. */
export interface FileTarget {
  readonly mode: number
  /** Hex. */
  readonly sha256: string
  readonly bytes?: Uint8Array | undefined
  /** Where the content is stored, at the latest when the operation's entries are. */
  readonly stored?: StoredContent | undefined
}

/** All that a command changes. */
export interface Operation {
  readonly command: string
  /** One line. */
  readonly summary: string
  readonly entries?: readonly Entry[]
  readonly refs?: readonly RefMove[]
  readonly files?: readonly FileMove[]
  /** Where the work tree stands afterwards; undefined where that does not change. */
  readonly head?: Head
  /** The index of the version it stands on then; undefined where that does not change. */
  readonly index?: WorkIndex
  readonly state?: WorkState
  /** Whose name the change of refs gets; by default the program's. */
  readonly author?: Author
  readonly undid?: number
  readonly redid?: number
}

/** What an operation is done to. */
export interface OperationContext {
  readonly repo: Repository
  readonly index: WorkIndex
}

/** What came of it. */
export interface Performed {
  readonly record: OperationRecord
  readonly index: WorkIndex
  /** Files that could not be written as they should; everything else was done. */
  readonly failures: readonly Failure[]
}

/** Entries beyond this many go into pages at once. */
const LOOSE_LIMIT = 4096

/**
 * Does an operation.
 *
 * @throws {CodedError} `OPERATION_PENDING`; what keeps it from being done: `PATH_BLOCKED`, `FILE_UNREADABLE`, `DISK_*`,
 *   `STORE_*` and others. Either nothing has been done then, or the journal is there and the rest is done by whoever comes
 *   next.
 */
export async function perform(context: OperationContext, operation: Operation): Promise<Performed> {
  const { repo, index } = context
  const { root } = repo
  assertNonePending(root)
  const { files, clean } = recordFiles(context, operation.files ?? [])
  const refs = await refChanges(repo.entries, operation.refs ?? [])
  const added = [...(operation.entries ?? [])]
  const writer = added.length + refs.changes.length > 0 ? await repo.writer() : undefined
  if (writer !== undefined && refs.changes.length > 0) {
    const author = { ...writer, ident: identNow(operation.author), message: operation.command }
    added.push(...(await refEntries(repo.entries, refs.changes, author, greatestSeq(added))))
  }
  const record = recordOf(root, operation, await repo.head(), files, refs.records, added)
  const contents = new Map((operation.files ?? []).map(({ path, to }) => [path, to?.bytes]))
  using work = new FileWork(repo, record, { contents, before: clean })
  const isNew = (operation.entries ?? []).length > 0
  await work.prepare(({ stored }) => isNew && stored?.at === record.head.after.version)
  beginOperation(root, record)
  try {
    await putEntries(repo.entries, added, writer?.replica.operations(added) ?? [])
  } catch (error) {
    // Where the store failed, only who opens it next can tell whether the batch has arrived: by the journal.
    if (!(error instanceof CodedError && error.code.startsWith('STORE_'))) dropOperation(root)
    throw error
  }
  const { failures, stats } = await work.apply()
  const after = settled(root, operation.index ?? index, record, stats)
  await finish(root, record, after)
  await renewHeadsNote(repo)
  await repo.entries.foldIfNeeded()
  return { record, index: after, failures }
}

function assertNonePending(root: string): void {
  if (!isPending(root)) return
  throw new CodedError('OPERATION_PENDING', 'A command was interrupted, and what it began is not finished yet.', {
    hint: 'Any weft command that changes something finishes it first: open the work tree anew.',
  })
}

/** An operation that was interrupted and is done now. */
export interface Finished {
  readonly record: OperationRecord
  readonly failures: readonly Failure[]
}

/**
 * Does something that changes refs in a way of its own, and records what became of them, so that it can be undone.
 *
 * @param summary - One line, once it is done.
 */
export async function recordRefs<T>(
  repo: Repository,
  command: string,
  act: () => Promise<T>,
  summary: (result: T) => string,
): Promise<T> {
  await finishPending(repo)
  const before = await refTexts(repo.entries)
  const result = await act()
  const after = await refTexts(repo.entries)
  const names = [...new Set([...before.keys(), ...after.keys()])].sort()
  const refs = names.flatMap((key): RefRecord[] => {
    const [old = [], now = []] = [before.get(key), after.get(key)]
    if (old.length === now.length && old.every((text) => now.includes(text))) return []
    return [{ kind: key.charAt(0) as RefKind, name: key.slice(1), before: old, after: now }]
  })
  if (refs.length === 0) return result
  const operation = { command, summary: summary(result) }
  const record = recordOf(repo.root, operation, await repo.head(), [], refs, [])
  beginOperation(repo.root, record)
  endOperation(repo.root, record)
  return result
}

/** The values of all names, by kind and name. */
async function refTexts(entries: EntryStore): Promise<Map<string, string[]>> {
  const texts = new Map<string, string[]>()
  for (const { kind, name, value } of await readRefs(entries)) {
    if (!isDeletion(value)) getOrMake(texts, kind + name, () => [] as string[]).push(refText(value))
  }
  return texts
}

/**
 * Finishes an operation that was interrupted, or forgets it where nothing of it has been done; what names versions by ids
 * from before a renumbering is put right first.
 *
 * @returns Undefined where there was none, or it was forgotten.
 */
export async function finishPending(repo: Repository): Promise<Finished | undefined> {
  await settleRenumbered(repo)
  const record = pendingOperation(repo.root)
  if (record === undefined) return undefined
  const marker = record.marker === undefined ? undefined : fromHex(record.marker)
  if (marker !== undefined && (await repo.entries.get(marker)) === undefined) {
    dropOperation(repo.root)
    return undefined
  }
  using work = new FileWork(repo, record)
  const { failures } = await work.apply()
  await finish(repo.root, record, await rebuildIndex(repo, record.head.after.version, undefined))
  return { record, failures }
}

async function finish(root: string, record: OperationRecord, index: WorkIndex): Promise<void> {
  writeState(root, record.state.after)
  try {
    // Where no files were ever written into the work tree, that there is no index says so.
    if (record.head.after.version !== undefined || WorkIndex.exists(root)) index.write(root)
  } catch (error) {
    // It is derived, and one of another version is made anew.
    if (!(error instanceof CodedError)) throw error
  }
  await writeHead(root, record.head.after)
  endOperation(root, record)
}

function recordOf(
  root: string,
  { command, summary, head, state, undid, redid }: Operation,
  before: Head,
  files: OperationRecord['files'],
  refs: readonly RefRecord[],
  added: readonly Entry[],
): OperationRecord {
  const { number, top, redo } = logPlace(root)
  const stateBefore = readState(root)
  const place = { top: number, below: top, redo: [] as readonly number[] }
  return {
    format: OPERATION_FORMAT,
    number,
    time: new Date().toISOString(),
    command,
    summary,
    ...(undid === undefined ? place : undoPlace(root, undid, redo)),
    ...(redid === undefined ? {} : { redid, redo: redo.filter((one) => one !== redid) }),
    head: { before, after: head ?? before },
    state: { before: stateBefore, after: state ?? stateBefore },
    refs,
    files,
    ...(added.length === 0 ? {} : { marker: toHex(greatestKey(added)) }),
  }
}

const NO_KEY = new Uint8Array(0)

/** The last key to be written, wherever a batch is cut. */
function greatestKey(entries: readonly Entry[]): Uint8Array {
  return entries.reduce<Uint8Array>((greatest, { key }) => (compareBytes(key, greatest) > 0 ? key : greatest), NO_KEY)
}

/** Where the log stands when an operation has been undone. */
function undoPlace(
  root: string,
  undid: number,
  redo: readonly number[],
): { top: number; below: number; redo: readonly number[] } {
  return { top: readOperation(root, undid).below, below: 0, redo: [undid, ...redo] }
}

/**
 * What is at the paths now and what will be; keeps what no version has. Moves that change nothing are left out.
 *
 * @returns Also the stats of files that are clean: with these they are what the record says.
 */
function recordFiles(
  { repo: { root }, index }: OperationContext,
  moves: readonly FileMove[],
): { files: OperationRecord['files']; clean: Map<string, FileStat> } {
  assertRoom(root, moves)
  const folds = foldsNames(root)
  const files: OperationRecord['files'][number][] = []
  const clean = new Map<string, FileStat>()
  for (const { path, to } of moves) {
    const isOther = folds && index.find(path) < 0 && lookAt(root, path) !== undefined && isAlias(root, path)
    const before = isOther ? null : recordBefore(root, path, index, clean)
    if (to !== undefined && to.stored === undefined) {
      if (to.bytes === undefined) throw new TypeError(`content of ${path}: expected bytes or a version that has it`)
      keepContent(root, to.sha256, to.bytes)
    }
    const after = to === undefined ? null : recorded(to.mode, to.sha256, to.stored)
    if (before?.sha256 !== after?.sha256 || before?.mode !== after?.mode) {
      files.push({ path: formatPath(path), before, after })
    }
  }
  return { files, clean }
}

function recorded(mode: number, sha256: string, stored: StoredContent | undefined): FileRecord {
  return { mode: formatMode(mode), sha256, ...(stored === undefined ? {} : { stored }) }
}

/** Where the content of a tracked file is stored. @param at - Hex id of a version that has it. */
export function storedContent({ file, size, chunked }: Omit<PathPut, 'mode' | 'sha256'>, at: string): StoredContent {
  return { at, file: formatLseq(file.seq, file.stream), size, chunked }
}

function recordBefore(root: string, path: string, index: WorkIndex, clean: Map<string, FileStat>): FileRecord | null {
  const tracked = index.get(path)
  const stored = tracked && index.base && storedContent(tracked, toHex(index.base.id))
  const stat = lookAt(root, path)
  if (stat === undefined) return null
  if (tracked?.stat !== undefined && sameStat(fileStat(stat), tracked.stat)) {
    clean.set(path, tracked.stat)
    // The stat vouches for the content; who may execute it can be another matter.
    return recorded(modeOf(stat) ?? tracked.mode, toHex(tracked.sha256), stored)
  }
  const found = readWorkFile(root, path)
  if (found === undefined) return null
  const sha256 = crypto.sha256Hex(found.bytes)
  if (tracked !== undefined && toHex(tracked.sha256) === sha256) return recorded(found.mode, sha256, stored)
  keepContent(root, sha256, found.bytes)
  return recorded(found.mode, sha256, undefined)
}

/** The ref entries that moves come to, and what they change. */
async function refChanges(
  entries: EntryStore,
  moves: readonly RefMove[],
): Promise<{ changes: RefChange[]; records: RefRecord[] }> {
  const changes: RefChange[] = []
  const records: RefRecord[] = []
  if (moves.length === 0) return { changes, records }
  const refs = await readRefs(entries)
  for (const { kind, name, to, keeps } of moves) {
    const heads = refs.filter((ref) => ref.kind === kind && ref.name === name)
    const kept = keeps === undefined ? [] : heads.filter((head) => !isDeletion(head.value) && keeps(head))
    const replaces = heads.filter((head) => !kept.includes(head))
    const before = heads.filter(({ value }) => !isDeletion(value)).map(({ value }) => refText(value))
    const after = [...kept.map(({ value }) => refText(value)), ...to.map(refText)]
    if (before.length === after.length && before.every((text) => after.includes(text))) continue
    const values = to.length > 0 ? to : [{}]
    values.forEach((value, i) => {
      changes.push({ kind, name, value: { ...value, replaces: i === 0 ? replaces : [] } })
    })
    records.push({ kind, name, before, after })
  }
  return { changes, records }
}

/** A ref's value as records have it. */
export function refText(value: Omit<RefValue, 'replaces'>): string {
  return toHex(encodeRefValue({ ...value, replaces: [] }))
}

function greatestSeq(entries: readonly Entry[]): number {
  return entries.reduce((greatest, { key }) => Math.max(greatest, lseqOfKey(key).seq), 0)
}

async function putEntries(
  store: EntryStore,
  entries: readonly Entry[],
  operations: readonly StoreOperation[],
): Promise<void> {
  if (entries.length <= LOOSE_LIMIT) return store.put(entries, { operations, fresh: true })
  const sorted = entries.toSorted((a, b) => compareBytes(a.key, b.key))
  await store.bulkWhole(async (writer) => {
    for (const { key, value } of sorted) {
      const room = writer.add(key, value)
      if (room !== undefined) await room
    }
    return operations
  })
}
