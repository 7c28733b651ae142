/**
 * Searching lines: those of one state, or (grep-history.ts) all that ever were.
 *
 * In a state, the files' bytes are searched first; only where something is found are the file's entries read
 * again for who put which line. Files are read in the order of their ids and told in the order of their paths. What is kept as
 * chunks is no text and is not searched, nor are the targets of links.
 * @module
 */
import type { PathPut } from '../history/path-entry.js'
import { type PathState, pathsAt } from '../history/paths.js'
import type { Piece } from '../lines/pieces.js'
import { countLines } from '../lines/split.js'
import { formatLseq, type Lseq } from '../lseq/lseq.js'
import type { Vector } from '../lseq/vector.js'
import { ChosenPaths } from './chosen-paths.js'
import { contentsOf } from './contents.js'
import type { RepositoryContext } from './context.js'
import { Credits } from './credit.js'
import { piecesOf } from './files.js'
import { LinePattern, type MatchedLine } from './line-pattern.js'
import { kindOf } from './mode.js'
import { formatPath } from './path-text.js'
import type { GrepMatch } from './results.js'

export { grepHistory } from './grep-history.js'

/** A line of a file that matched, and where it came from. */
interface Found extends MatchedLine {
  readonly path: string
  /** First lseq of the lines that were put in a row with it. */
  readonly first: Lseq
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
    await credits.find(new Set(some.map(({ first }) => first)))
    for (const { path, index, text, first, place } of some) {
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
  const byPath = new Map<string, Found[]>()
  for await (const { state, content } of contentsOf({ entries, streams }, [...states.values()], vector)) {
    const lines = [...pattern.matches(content)]
    if (lines.length === 0) continue
    const pieces = await piecesOf({ entries, streams }, state.entry.file, vector)
    byPath.set(state.path, [...placed(state.path, lines, pieces)])
  }
  return [...byPath.keys()].sort().flatMap((path) => byPath.get(path) ?? [])
}

/** The matched lines, each with where it came from: `pieces` are all lines of the file in order. */
function* placed(path: string, lines: readonly MatchedLine[], pieces: readonly Piece[]): Generator<Found> {
  let next = 0
  let shown = 0
  for (const piece of pieces) {
    const end = shown + countLines(piece.bytes.subarray(piece.from, piece.to))
    for (let line = lines[next]; line !== undefined && line.index < end; line = lines[++next]) {
      yield { ...line, path, first: piece, place: line.index - shown }
    }
    shown = end
  }
}
