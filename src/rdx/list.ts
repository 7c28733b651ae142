/**
 * Type L, the list: a causal tree, which every author can change at any place and any two states of which can be merged.
 *
 *     bare     | block of links, where any are needed | element | element | ...     see list-links.ts
 *     text     [1{1,1},12{5,2},2{2,1}<{1,1}]          plain: [1,12,2]; see list-text.ts
 *     native   array of the values shown, see native.ts
 *
 * An element's id is the stamp it was inserted under. It names what it was inserted after: another element, or the start of
 * the list, which is {0,0}. Reading order is depth first, and of those inserted after the same element the newest comes
 * first, greater src first among equal revisions. So what somebody types from left to right stays in one piece, whatever
 * others type at the same place at the same time. What is typed from right to left does not: each item is inserted after
 * the same element, and two authors who do that at once get their items mixed, each author's in order.
 *
 * A tombstone is a later revision of an element: its stamp is negative, its id remains. It hides the element and keeps its
 * place, for what was inserted after it. A value written in place is a later revision too: same id, higher stamp. An element
 * is moved by deleting it and inserting its value elsewhere.
 *
 * A patch is a list as well: elements whose neighbours are not there. They are adrift until a merge brings what they were
 * inserted after, in whatever order patches and states arrive. What is known and how it is joined: list-tree.ts. Canonical
 * order, and what is adrift: list-check.ts.
 *
 * Older lists name places by a bare `r` record (list-cursor.ts). They are states as well, with the canonical list of the same
 * content as their merge, text and delta.
 * @module
 */
import { compareBytes } from '../base/bytes.js'
import { checkList } from './list-check.js'
import { ListCursor } from './list-cursor.js'
import { listDelta } from './list-delta.js'
import { NONE } from './list-ids.js'
import { formatList, formatPlainList, readList } from './list-text.js'
import { CausalTree } from './list-tree.js'
import { decodeNative, type Native } from './native.js'
import { Seen } from './seen.js'
import { completeType, type RdxType } from './type.js'

const EMPTY = new Uint8Array(0)

/** Canonical bytes of a list, and how many of its elements hang together with the start. `undefined` for no list. */
function canonical(tlv: Uint8Array): { readonly tlv: Uint8Array; readonly reachable: number } | undefined {
  const { fault, old, reachable } = checkList(tlv)
  if (fault !== undefined) return undefined
  return old ? canonical(merge([tlv])) : { tlv, reachable }
}

function merge(tlvs: readonly Uint8Array[]): Uint8Array {
  const longest = tlvs.reduce((long, tlv) => (tlv.length > long.length ? tlv : long), EMPTY)
  const tree = CausalTree.of(longest)
  for (const tlv of tlvs) if (tlv !== longest && checkList(tlv).fault === undefined) tree.addList(tlv)
  return tree.write()
}

/** Elements that `seen` does not cover, with their places; where only a later revision is news, that alone. */
function news(tlv: Uint8Array, seen: Seen): Uint8Array {
  const tree = new CausalTree()
  const cursor = new ListCursor(tlv)
  while (cursor.next()) {
    const { view, id, after, attached } = cursor
    const placed = attached && !seen.covers(id)
    if (!placed && seen.covers(view.stamp)) continue
    tree.addNew(tree.ids.intern(id), placed ? tree.ids.intern(after) : NONE, view)
  }
  return tree.write()
}

/** Type L. See the head of this file. */
export const L: RdxType<Native[], readonly Native[]> = completeType<Native[], readonly Native[]>({
  letter: 'L',
  check: (tlv) => checkList(tlv).fault,
  string: (tlv, form = 'exact') => {
    const list = canonical(tlv)
    if (list === undefined) return undefined
    return form === 'exact' ? formatList(list.tlv) : formatPlainList(list.tlv, list.reachable)
  },
  read: (reader, writer) => void writer.raw(readList(reader)),
  /** Ids are {1,0}, {2,0} and so on: {0,0} is none. */
  tlv: (native) => listDelta(EMPTY, 0, native, 0n),
  plain: (tlv) => {
    const list = canonical(tlv)
    if (list === undefined) return undefined
    const values: Native[] = []
    const cursor = new ListCursor(list.tlv)
    while (cursor.next() && cursor.index < list.reachable) {
      if (!cursor.view.stamp.dead) values.push(decodeNative(cursor.view))
    }
    return values
  },
  delta: (tlv, native, src = 0n) => {
    const list = canonical(tlv)
    return listDelta(list?.tlv ?? EMPTY, list?.reachable ?? 0, native, src)
  },
  merge,
  diff: (tlv, vector) => news(canonical(tlv)?.tlv ?? EMPTY, Seen.of(vector)),
  empty: () => new Uint8Array(0),
  compare: compareBytes,
  /** A revision of an element whose insertion is not here says nothing about what its author did before. */
  vector: (tlv) => {
    const seen = new Seen()
    const cursor = new ListCursor(canonical(tlv)?.tlv ?? EMPTY)
    while (cursor.next()) {
      seen.add(cursor.view.stamp)
      if (cursor.attached) seen.add(cursor.id)
    }
    return seen.encode()
  },
})
