/**
 * Differences of two states, file by file.
 *
 * Contents are read for so many files at a time as are little to hold, in one pass over the store; the patch of a file is
 * made when it is its turn, and forgotten when it is told. So a diff of any size takes little memory.
 * @module
 */
import { decodeUtf8, fromLatin1 } from '../base/bytes.js'
import { CodedError } from '../base/error.js'
import type { Vector } from '../lseq/vector.js'
import { type Change, changesBetween, describeChange, type Side, sameContent } from './changes.js'
import { ChosenPaths } from './chosen-paths.js'
import { contentsOf, type FileAt } from './contents.js'
import type { RepositoryContext } from './context.js'
import { contentOf } from './files.js'
import { type FormatHunks, loadFormatter, needsContents, patchOf, shownContent } from './patch.js'
import type { FileDiff } from './results.js'

/** What to tell of a difference. */
export interface DiffOptions {
  /** Files and directories; all where there are none. */
  readonly paths?: readonly string[] | undefined
  /** Lines around a change. Default: 3. */
  readonly context?: number | undefined
  /** Only how many lines changed, no patch. */
  readonly stat?: boolean | undefined
  /** What changed within lines, too. */
  readonly words?: boolean | undefined
}

/** Reads what stands at some sides, by path; what is not text is left out. */
export type ReadTexts = (sides: readonly Side[]) => Promise<ReadonlyMap<string, Uint8Array>>

/** Bytes of contents, and files, that are read at a time. */
const BATCH_BYTES = 16 * 1024 * 1024
const BATCH_FILES = 256

/** So few files are read one by one: in one pass over the store, the pages between them would be read ahead. */
const SINGLY = 32

/** A file with more bytes than this is only said to differ. */
const MAX_TEXT = 1 << 27

const NOTHING = new Uint8Array(0)

/**
 * What differs from one version to another.
 *
 * @param from - As text; the current branch for undefined, as in `..B`.
 * @param to - Likewise.
 * @throws {CodedError} `V_UNKNOWN`, `V_AMBIGUOUS`, `PATH_UNKNOWN`.
 */
export async function* diffVersions(
  repository: RepositoryContext,
  from: string | undefined,
  to: string | undefined,
  options: DiffOptions = {},
): AsyncGenerator<FileDiff> {
  const before = (await repository.resolve(from)).vector
  const after = (await repository.resolve(to)).vector
  const { changes } = await changesBetween(repository, before, after, new ChosenPaths(options.paths))
  yield* fileDiffs(changes, storedTexts(repository, before), storedTexts(repository, after), options)
}

/** Reads contents at a state; the sides must be of files that it has. */
export function storedTexts({ entries, versions }: RepositoryContext, vector: Vector): ReadTexts {
  return async (sides) => {
    const texts = new Map<string, Uint8Array>()
    const inLines = (sides as readonly FileAt[]).filter(({ entry }) => !entry.chunked)
    const context = { entries, streams: versions.streams }
    if (inLines.length <= SINGLY) {
      for (const { path, entry } of inLines) texts.set(path, await contentOf(context, path, entry, vector))
      return texts
    }
    for await (const { state, content } of contentsOf(context, inLines, vector)) texts.set(state.path, content)
    return texts
  }
}

/** The differences that changes make, in their order. */
export async function* fileDiffs(
  changes: Iterable<Change<Side, Side>>,
  readOld: ReadTexts,
  readNew: ReadTexts,
  options: DiffOptions = {},
): AsyncGenerator<FileDiff> {
  const format = await loadFormatter()
  for (const batch of batches(changes)) {
    const differing = batch.filter(isToRead)
    const olds = await readOld(differing.flatMap(({ before }) => before ?? []))
    const news = await readNew(differing.flatMap(({ after }) => after ?? []))
    for (const change of batch) {
      const { before, after } = change
      const old = before === undefined ? NOTHING : olds.get(before.path)
      const now = after === undefined ? NOTHING : news.get(after.path)
      yield await fileDiff({ ...change, old, now }, format, options)
    }
  }
}

function isToRead({ before, after }: Change<Side, Side>): boolean {
  if (Math.max(before?.entry.size ?? 0, after?.entry.size ?? 0) > MAX_TEXT) return false
  return needsContents({ before, after })
}

function* batches(changes: Iterable<Change<Side, Side>>): Generator<Change<Side, Side>[]> {
  let batch: Change<Side, Side>[] = []
  let bytes = 0
  for (const change of changes) {
    const size = (change.before?.entry.size ?? 0) + (change.after?.entry.size ?? 0)
    if (batch.length > 0 && (batch.length === BATCH_FILES || bytes + size > BATCH_BYTES)) {
      yield batch
      batch = []
      bytes = 0
    }
    batch.push(change)
    bytes += size
  }
  if (batch.length > 0) yield batch
}

async function fileDiff(
  change: Change<Side, Side> & { readonly old: Uint8Array | undefined; readonly now: Uint8Array | undefined },
  format: FormatHunks,
  { context, stat, words }: DiffOptions,
): Promise<FileDiff> {
  const { before, after, old, now } = change
  const { text, binary, added, deleted } = patchOf(change, format, context)
  const facts = {
    ...describeChange(change, binary),
    added,
    deleted,
    ...(after !== undefined && { size: after.entry.size }),
    ...(before !== undefined && { oldSize: before.entry.size }),
  }
  if (stat === true) return facts
  const bytes = fromLatin1(text)
  const patch = decodeUtf8(bytes)
  const told = {
    ...facts,
    ...(patch === undefined ? { patchBase64: Buffer.from(bytes).toString('base64') } : { patch }),
  }
  const isSame = before !== undefined && after !== undefined && sameContent(before, after)
  if (words !== true || binary || isSame || old === undefined || now === undefined) return told
  const { wordHunks } = await import('./word-hunks.js')
  return { ...told, words: wordHunks(shownContent(before, old), shownContent(after, now), context) }
}

/** What `--at` of a diff names. */
export type DiffRange =
  /** The work tree against the version that it is based on. */
  | { readonly kind: 'base' }
  /** The work tree against a version. */
  | { readonly kind: 'tree'; readonly from: string }
  /** A version against another; undefined is the current branch. */
  | { readonly kind: 'versions'; readonly from: string | undefined; readonly to: string | undefined }

/**
 * Reads `A` or `A..B`, either of which may be left out.
 *
 * @throws {CodedError} `USAGE` for `A...B`, which git knows.
 */
export function parseRange(text: string | undefined): DiffRange {
  if (text === undefined) return { kind: 'base' }
  const at = text.indexOf('..')
  if (at < 0) return { kind: 'tree', from: text }
  const [from, to] = [text.slice(0, at), text.slice(at + 2)]
  if (to.startsWith('.') || to.includes('..')) {
    throw new CodedError('USAGE', `${text} is no range of two versions.`, { hint: 'Write it as A..B.' })
  }
  return { kind: 'versions', from: from || undefined, to: to || undefined }
}
