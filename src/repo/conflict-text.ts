/**
 * Conflicts as results tell of them: paths and lines as text, where history/conflict.ts has binary strings.
 * @module
 */
import { fromLatin1 } from '../base/bytes.js'
import type { Conflict, Region, RegionLines, Stage } from '../history/conflict.js'
import type { NearMiss } from '../history/merge-outcome.js'
import { textOf } from './describe.js'
import { formatPath } from './path-text.js'

declare const READABLE: unique symbol

/** A conflict; all of its strings are text, paths as `formatPath` writes them. The mark is for the compiler alone. */
export type ConflictInfo = Conflict & { readonly [READABLE]?: true }

/** A clean part of a merge that deserves a look, likewise. */
export type NearInfo = NearMiss & { readonly [READABLE]?: true }

export function conflictInfo(conflict: Conflict): ConflictInfo {
  const { path, base, left, right, regions } = conflict
  return {
    ...conflict,
    path: formatPath(path),
    ...(base && { base: stageInfo(base) }),
    ...(left && { left: stageInfo(left) }),
    ...(right && { right: stageInfo(right) }),
    regions: regions.map(regionInfo),
  }
}

export function nearInfo({ path, regions, movedTo }: NearMiss): NearInfo {
  return {
    path: formatPath(path),
    regions: regions.map(regionInfo),
    ...(movedTo === undefined ? {} : { movedTo: formatPath(movedTo) }),
  }
}

function stageInfo(stage: Stage): Stage {
  return { ...stage, path: formatPath(stage.path) }
}

function regionInfo(region: Region): Region {
  const { base, left, right } = region
  return { ...region, base: linesInfo(base), left: linesInfo(left), right: linesInfo(right) }
}

function linesInfo(lines: RegionLines): RegionLines {
  return { ...lines, text: textOf(fromLatin1(lines.text)) }
}
