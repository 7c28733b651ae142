/**
 * Two indexes side by side: the paths at which they differ.
 * @module
 */
import { equalBytes } from '../base/bytes.js'
import { kindOf } from '../repo/mode.js'
import type { Tracked, WorkIndex } from './index-file.js'

/** A path at which two trees differ. */
export interface TreeDifference {
  readonly path: string
  readonly from: Tracked | undefined
  readonly to: Tracked | undefined
}

/** The paths whose content or kind differ, in byte order. */
export function* compareIndexes(from: WorkIndex, to: WorkIndex): Generator<TreeDifference> {
  let i = 0
  let j = 0
  while (i < from.count || j < to.count) {
    const a = i < from.count ? from.pathAt(i) : undefined
    const b = j < to.count ? to.pathAt(j) : undefined
    if (b === undefined || (a !== undefined && a < b)) {
      const old = from.at(i++)
      yield { path: old.path, from: old, to: undefined }
    } else if (a === undefined || b < a) {
      const put = to.at(j++)
      yield { path: put.path, from: undefined, to: put }
    } else {
      if (!equalBytes(from.digestAt(i), to.digestAt(j)) || kindOf(from.at(i).mode) !== kindOf(to.at(j).mode)) {
        yield { path: a, from: from.at(i), to: to.at(j) }
      }
      i++
      j++
    }
  }
}
