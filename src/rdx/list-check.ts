/**
 * Whether bytes are a list in canonical form, found in one walk.
 *
 * Canonical order, which list-tree.ts writes and this file checks:
 *
 * 1. The elements that hang together with the start of the list, in reading order: each before those inserted after it,
 *    and of those that were inserted after the same one the newest first, greater src first among equal revisions.
 *    Tombstones stand among them.
 * 2. The others, adrift, by src and then by rev, lowest first. What was inserted after them or with them is not here yet.
 *    What one author typed in one go stands in one piece then, and needs one link.
 *
 * In reading order an element follows what it was inserted after, or an ancestor of the element before. So the walk keeps
 * the path from the start to the element at hand: stepping back along it is how one branch ends and the next one begins.
 * @module
 */
import type { Fault } from './fault.js'
import { ListCursor } from './list-cursor.js'
import { IdTable, NONE, START } from './list-ids.js'

/** What a walk over a list found. */
export interface ListReport {
  /** The first rule broken; the rest of the report means nothing then. */
  readonly fault: Fault | undefined
  /** Whether it is in the older form, which has its elements in any order. */
  readonly old: boolean
  /** Elements that hang together with the start: the first so many. For older lists it is not known. */
  readonly reachable: number
}

/**
 * Walks a list and reports. Total, and linear in time and memory.
 *
 * @param ids - Gives the ids their numbers. It must be new.
 * @param visit - Is told of each element the number of its id and of what it was inserted after, `NONE` when not known. It
 *   may be told of elements before a fault.
 */
export function checkList(
  bytes: Uint8Array,
  ids: IdTable = new IdTable(roomFor(bytes)),
  visit?: (id: number, after: number, cursor: ListCursor) => void,
): ListReport {
  const cursor = new ListCursor(bytes)
  const walk = new OrderCheck(ids)
  let disorder: Fault | undefined
  let before = START
  while (cursor.next()) {
    const known = ids.count
    const id = ids.intern(cursor.id)
    const after = cursor.follows ? before : cursor.attached ? ids.intern(cursor.after) : NONE
    before = id
    const rule = walk.step(id, after, id < known)
    visit?.(id, after, cursor)
    if (rule === undefined) continue
    const fault = { offset: cursor.view.start, rule }
    // No form of a list has an id twice; its order is only wrong if it turns out not to be of the older form.
    if (rule === TWICE) return { fault, old: cursor.old, reachable: 0 }
    disorder ??= fault
  }
  const fault = cursor.fault ?? (cursor.old ? undefined : disorder)
  return { fault, old: cursor.old, reachable: walk.reachable }
}

/** Most ids that memory is set aside for before there are any. */
const ROOM_MAX = 1 << 17

/** Ids to set memory aside for: most elements have more bytes than this supposes. */
export function roomFor(bytes: Uint8Array): number {
  return Math.min(bytes.length >>> 3, ROOM_MAX)
}

const TWICE = 'an element with this id stands before'

/** How an id came up so far. */
const NAMED = 0
const REACHED = 1
const ADRIFT = 2

/** Checks the order, element by element. */
class OrderCheck {
  reachable = 0
  readonly #ids: IdTable
  /** By number of an id. */
  #states = new Uint8Array(8)
  /** By number of an id: its place on the path, when it is or was there. */
  #places = new Int32Array(8)
  /** Numbers of the ids from the start to the element at hand. */
  #path = new Int32Array(8)
  #top = 0
  #last = NONE

  constructor(ids: IdTable) {
    this.#ids = ids
    this.#states[START] = REACHED
  }

  /** Takes one more element; answers the rule that it breaks. */
  step(id: number, after: number, known: boolean): string | undefined {
    this.#reserve(Math.max(id, after) + 1)
    const states = this.#states
    if (known && states[id] !== NAMED) return TWICE
    const place = after === NONE || states[after] !== REACHED ? NONE : (this.#places[after] as number)
    if (place === NONE) {
      const last = this.#last
      states[id] = ADRIFT
      this.#last = id
      if (last === NONE || this.#ids.compareAuthor(last, id) < 0) return undefined
      return 'elements adrift are sorted by src and rev'
    }
    states[id] = REACHED
    this.reachable++
    const path = this.#path
    if (this.#last !== NONE) return 'an element that hangs together with the start stands before those adrift'
    if (place > this.#top || path[place] !== after) return 'the element does not follow what it was inserted after'
    const sibling = place < this.#top ? (path[place + 1] as number) : NONE
    this.#top = place + 1
    path[this.#top] = id
    this.#places[id] = this.#top
    if (sibling === NONE || this.#ids.compareAge(sibling, id) > 0) return undefined
    return 'of elements after the same one, the newest comes first'
  }

  #reserve(room: number): void {
    if (room < this.#states.length) return
    const size = room * 2
    const states = new Uint8Array(size)
    states.set(this.#states)
    this.#states = states
    this.#places = grown(this.#places, size)
    this.#path = grown(this.#path, size)
  }
}

/** A longer copy of a column. */
export function grown(column: Int32Array, size: number): Int32Array<ArrayBuffer> {
  const more = new Int32Array(size)
  more.set(column)
  return more
}
