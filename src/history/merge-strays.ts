/**
 * Files that one side put into a directory that the other side moved away.
 *
 * They stay where they were put, since nobody said that they should move; but they deserve a look.
 * @module
 */
import { getOrMake } from '../base/map.js'
import type { FileCase, SideName } from './merge-cases.js'
import type { LinesContext } from './merge-lines.js'
import { pathsAt } from './paths.js'

/** New files by path, each with the directory that the files beside it went to. Binary strings. */
export async function straysOf(context: LinesContext, cases: readonly FileCase[]): Promise<Map<string, string>> {
  const strays = new Map<string, string>()
  for (const [mover, adder] of [
    ['left', 'right'],
    ['right', 'left'],
  ] as const) {
    const moves = directoryMoves(cases, mover)
    if (moves.size === 0) continue
    for (const { base, [mover]: own, [adder]: added } of cases) {
      if (base !== undefined || own !== undefined || added === undefined) continue
      const directory = directoryOf(added.path)
      const to = moves.get(directory)
      if (to !== undefined && (await isGone(context, mover, directory))) strays.set(added.path, mostCommon(to))
    }
  }
  return strays
}

/** Directories from which a side moved files that kept their names, and the directories they went to, with how many. */
function directoryMoves(cases: readonly FileCase[], side: SideName): Map<string, Map<string, number>> {
  const moves = new Map<string, Map<string, number>>()
  for (const { base, [side]: own } of cases) {
    if (base === undefined || own === undefined) continue
    const [from, to] = [directoryOf(base.path), directoryOf(own.path)]
    if (from === to || from === '' || base.path.slice(from.length) !== own.path.slice(to.length)) continue
    const counts = getOrMake(moves, from, () => new Map<string, number>())
    counts.set(to, (counts.get(to) ?? 0) + 1)
  }
  return moves
}

async function isGone(
  { entries, streams, ...vectors }: LinesContext,
  side: SideName,
  directory: string,
): Promise<boolean> {
  for await (const _ of pathsAt(entries, streams, vectors[side], directory)) return false
  return true
}

function mostCommon(counts: ReadonlyMap<string, number>): string {
  return [...counts].reduce((most, one) => (one[1] > most[1] ? one : most))[0]
}

function directoryOf(path: string): string {
  return path.slice(0, Math.max(0, path.lastIndexOf('/')))
}
