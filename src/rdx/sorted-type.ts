/**
 * What the types of sorted records have in common as types: set, map, counters by author, version vector.
 * @module
 */
import { compareBytes } from '../base/bytes.js'
import type { RecordCursor } from './element.js'
import { Seen } from './seen.js'
import { checkSorted, eachStamp, filterSorted, isSorted, mergeSorted, type SortedRules } from './sorted.js'
import type { StampView } from './stamp.js'
import { completeType, type RdxType, type TypeCore } from './type.js'

/** What follows from the rules. */
type Common = 'check' | 'merge' | 'diff' | 'empty' | 'compare' | 'vector'

/** Makes a type of its rules and what else it has of its own. */
export function completeSorted<C extends RecordCursor, Plain, Given = Plain>(
  rules: SortedRules<C>,
  own: Omit<TypeCore<Plain, Given, Uint8Array>, Common>,
): RdxType<Plain, Given> {
  return completeType<Plain, Given>({
    ...own,
    check: (tlv) => checkSorted(tlv, rules),
    merge: (tlvs) => mergeSorted(tlvs, rules),
    diff: (tlv, vector) => {
      if (!isSorted(tlv, rules)) return new Uint8Array(0)
      const seen = Seen.of(vector)
      let lacking = false
      const look = (stamp: StampView): void => {
        lacking ||= !seen.covers(stamp)
      }
      return filterSorted(tlv, rules, (cursor) => {
        lacking = false
        eachStamp(cursor, rules, look)
        return lacking
      })
    },
    empty: () => new Uint8Array(0),
    compare: compareBytes,
    vector: (tlv) => {
      const seen = new Seen()
      if (!isSorted(tlv, rules)) return seen.encode()
      const add = (stamp: StampView): void => seen.add(stamp)
      const cursor = rules.cursor(tlv)
      while (rules.next(cursor)) eachStamp(cursor, rules, add)
      return seen.encode()
    },
  })
}
