/**
 * Which files a merge has to look at, and which of base, left and right belong together.
 *
 * A file is known by its id, so one that a side renamed is followed without a search. But the same path may hold files with
 * different ids: both sides added one there, or somebody deleted a file and put it again. Then what stands at the path is
 * taken as one file, unless one of the ids goes on elsewhere.
 * @module
 */
import { getOrMake } from '../base/map.js'
import { formatLseq } from '../lseq/lseq.js'
import type { PathSides } from './merge-paths.js'
import type { PathPut } from './path-entry.js'

/** A file at a path. */
export interface Placed extends PathPut {
  /** Binary string. */
  readonly path: string
}

/** One file as the three versions have it. At least one of them does. */
export interface FileCase {
  base?: Placed
  left?: Placed
  right?: Placed
  /** See `PathSides`. */
  settled: boolean
}

/** The sides of a merge. */
export type SideName = 'left' | 'right'

const VERSIONS = ['base', 'left', 'right'] as const

/** The files that stand at the given paths, each with its versions put together. */
export function casesOf(paths: readonly PathSides[]): FileCase[] {
  const ids = idsOf(paths)
  const cases: FileCase[] = []
  const byId = new Map<string, FileCase>()
  for (const sides of paths) {
    const together = isOneFile(sides, ids)
    const own: FileCase = { settled: sides.settled }
    for (const version of VERSIONS) {
      const put = sides[version]
      if (put === undefined) continue
      const placed = { ...put, path: sides.path }
      if (together) own[version] = placed
      else add(cases, byId, version, placed, sides.settled)
    }
    if (together) cases.push(own)
  }
  return cases
}

function add(
  cases: FileCase[],
  byId: Map<string, FileCase>,
  version: (typeof VERSIONS)[number],
  placed: Placed,
  settled: boolean,
): void {
  const known = getOrMake(byId, idOf(placed), () => {
    const made: FileCase = { settled: true }
    cases.push(made)
    return made
  })
  if (known[version] === undefined) {
    known[version] = placed
    known.settled &&= settled
  } else cases.push({ [version]: placed, settled })
}

/** The ids that each version has at the given paths. */
type Ids = Readonly<Record<(typeof VERSIONS)[number], ReadonlyMap<string, number>>>

function idsOf(paths: readonly PathSides[]): Ids {
  const idsIn = (version: (typeof VERSIONS)[number]): Map<string, number> => {
    const ids = new Map<string, number>()
    for (const { [version]: put } of paths) if (put !== undefined) ids.set(idOf(put), (ids.get(idOf(put)) ?? 0) + 1)
    return ids
  }
  return { base: idsIn('base'), left: idsIn('left'), right: idsIn('right') }
}

/** Whether what stands at a path is one file though the ids differ. */
function isOneFile({ base, left, right }: PathSides, ids: Ids): boolean {
  if (left === undefined || right === undefined || idOf(left) === idOf(right)) return false
  // A new id: nowhere in the base, and not on the other side either.
  const isNew = (put: PathPut, other: SideName) => !ids.base.has(idOf(put)) && !ids[other].has(idOf(put))
  if (base === undefined) return isNew(left, 'right') && isNew(right, 'left')
  const kept = (put: PathPut) => idOf(put) === idOf(base)
  const leftFits = kept(left) || (isNew(left, 'right') && !ids.left.has(idOf(base)))
  const rightFits = kept(right) || (isNew(right, 'left') && !ids.right.has(idOf(base)))
  return leftFits && rightFits
}

function idOf({ file }: PathPut): string {
  return formatLseq(file.seq, file.stream)
}
