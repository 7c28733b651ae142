/**
 * Searching lines: those of one state, or (grep-history.ts) all that ever were.
 *
 * In a state, all lines that a file ever had are searched for the needle of the pattern (line-pattern.ts) before the file
 * is put together. Files are read in the order of their ids and told in the order of their paths. What is kept as chunks is
 * no text and is not searched, nor are the targets of links.
 * @module
 */
import type { PathPut } from '../history/path-entry.js'
import { type PathState, pathsAt } from '../history/paths.js'
import { type Piece, PieceReader } from '../lines/pieces.js'
import { countLines } from '../lines/split.js'
import type { Slice } from '../lines/walk-kernel.js'
import type { EntryBatch } from '../lseq/batch.js'
import { Coverage } from '../lseq/coverage.js'
import { formatLseq, type Lseq } from '../lseq/lseq.js'
import type { Vector } from '../lseq/vector.js'
import { ChosenPaths } from './chosen-paths.js'
import { byFile } from './contents.js'
import type { RepositoryContext } from './context.js'
import { Credits } from './credit.js'
import { checkedContent } from './files.js'
import { LineEntries, walkSlices } from './line-entries.js'
import { LinePattern, type MatchedLine } from './line-pattern.js'
import { kindOf } from './mode.js'
import { Hits } from './needle.js'
import { formatPath } from './path-text.js'
import type { GrepMatch } from './results.js'

export { grepHistory } from './grep-history.js'

/** A line of a file that matched, and where it came from. */
interface Found extends MatchedLine {
  readonly path: string
  /** The lines that were put in a row with it. */
  readonly piece: Piece
  /** Its number among them. */
  readonly place: number
}

/** Matches whose versions are looked up together. */
const TOGETHER = 4096

/**
 * The lines that match at a state, by path and line number.
 *
 * @throws {CodedError} `V_*` for the state, `PATH_UNKNOWN` for paths that are not there.
 */
export async function* grepState(
  repository: RepositoryContext,
  pattern: RegExp,
  options: { readonly at?: string; readonly paths?: readonly string[] },
): AsyncGenerator<GrepMatch> {
  const { versions } = repository
  const { vector } = await repository.resolve(options.at)
  const found = await findLines(repository, vector, new LinePattern(pattern), new ChosenPaths(options.paths))
  const credits = new Credits(versions)
  for (let at = 0; at < found.length; at += TOGETHER) {
    const some = found.slice(at, at + TOGETHER)
    await credits.find(
      new Set(some.flatMap(({ piece }) => (piece.again === undefined ? [piece] : [piece, piece.again]))),
    )
    for (const { path, index, text, piece, place } of some) {
      // Picked from a version that was never sent here: a line of the version that picked it.
      const first: Lseq = piece.again !== undefined && !credits.has(piece) ? piece.again : piece
      const lseq = formatLseq(first.seq + place, first.stream)
      yield { path: formatPath(path), n: index + 1, text, lseq, put: await credits.credit(first) }
    }
  }
}

async function findLines(
  { entries, versions: { streams } }: RepositoryContext,
  vector: Vector,
  pattern: LinePattern,
  chosen: ChosenPaths,
): Promise<Found[]> {
  const states = new Map<string, PathState<PathPut>>()
  for (const under of chosen.roots) {
    for await (const state of pathsAt(entries, streams, vector, under)) {
      const kind = kindOf(state.entry.mode)
      if (chosen.includes(state.path) && !state.entry.chunked && (kind === 'file' || kind === 'executable')) {
        states.set(state.path, state)
      }
    }
  }
  chosen.assertFound('in this version')
  const inOrder = byFile([...states.values()])
  const last = inOrder.at(-1)
  if (last === undefined) return []
  const byPath = new Map<string, Found[]>()
  await using lines = new LineEntries(entries, last.entry.file, new Coverage(vector, streams))
  const reader = new PieceReader(streams, vector)
  const hits = new HitsOf(pattern.needle)
  for (const { path, entry } of inOrder) {
    const found = lines.read(entry.file)
    const slices = Array.isArray(found) ? found : await found
    if (!slices.some((slice) => hits.any(slice))) continue
    walkSlices(slices, reader)
    const pieces = reader.finish()
    const content = checkedContent(path, entry, joined(pieces))
    const matched = [...pattern.matches(content)]
    if (matched.length > 0) byPath.set(path, [...placed(path, matched, pieces)])
  }
  return [...byPath.keys()].sort().flatMap((path) => byPath.get(path) ?? [])
}

/** The file's bytes. A file may have more pieces than a call may have arguments. */
function joined(pieces: readonly Piece[]): Uint8Array {
  return Buffer.concat(pieces.map(({ bytes, from, to }) => bytes.subarray(from, to)))
}

/** Looks for the needle in slices of one batch after the other. */
class HitsOf {
  readonly #needle: Buffer | undefined
  #batch: EntryBatch | undefined
  #hits: Hits | undefined

  constructor(needle: Buffer | undefined) {
    this.#needle = needle
  }

  any({ batch, from, to }: Slice): boolean {
    if (this.#hits === undefined || this.#batch !== batch) this.#hits = new Hits(batch, this.#needle)
    this.#batch = batch
    return this.#hits.any(from, to)
  }
}

/** The matched lines, each with where it came from: `pieces` are all lines of the file in order. */
function* placed(path: string, lines: readonly MatchedLine[], pieces: readonly Piece[]): Generator<Found> {
  let next = 0
  let shown = 0
  for (const piece of pieces) {
    const end = shown + countLines(piece.bytes.subarray(piece.from, piece.to))
    for (let line = lines[next]; line !== undefined && line.index < end; line = lines[++next]) {
      yield { ...line, path, piece, place: line.index - shown }
    }
    shown = end
  }
}
