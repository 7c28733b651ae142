/**
 * Enveloped values: records that name their type, one or many in a row, as files and messages hold them.
 *
 *     | letter | length | state |    | letter | length | state |    ...
 *
 * As text the values stand one after another with white space between. A record's letter follows from the text: `{` begins
 * a set, or a map if its first element has a colon ({} is the empty set, {:} the empty map); `[` a list; `C<`, `N<`, `Z<`
 * and `V<` what they name; all else is an element.
 *
 * Nothing here throws but `parseRecords` and `assertRecords`.
 * @module
 */
import { compareRank, ElementView, isFirst, RecordCursor } from './element.js'
import { type Fault, faultError } from './fault.js'
import { TextReader } from './text.js'
import { encodeRecord, type Letter, TlvWriter } from './tlv.js'
import type { RdxType, TextForm } from './type.js'
import { type AnyType, TYPES, typeOf } from './types.js'

/** A record found: its letter, as its type is named now, and the state in it, sharing memory with the bytes. */
export interface Enveloped {
  readonly letter: Letter
  readonly type: AnyType
  readonly tlv: Uint8Array
  /** Of the record in the bytes. */
  readonly start: number
  /** Of the state in the bytes. */
  readonly bodyStart: number
}

/** Walks enveloped records. */
class Envelopes extends RecordCursor {
  nextRecord(): Enveloped | undefined {
    if (!this.next()) return undefined
    const { bytes, letter, start, bodyStart, end } = this.view
    const type = typeOf(String.fromCharCode(letter))
    if (type === undefined) {
      this.fail(start, `there is no type "${String.fromCharCode(letter)}"`)
      return undefined
    }
    return { letter: type.letter, type, tlv: bytes.subarray(bodyStart, end), start, bodyStart }
  }
}

/**
 * Splits bytes into enveloped records. The states in them are not looked at.
 *
 * @returns `undefined` when the bytes are not a row of records of known types.
 */
export function splitRecords(bytes: Uint8Array): Enveloped[] | undefined {
  const cursor = new Envelopes(bytes)
  const records: Enveloped[] = []
  for (let record = cursor.nextRecord(); record !== undefined; record = cursor.nextRecord()) records.push(record)
  return cursor.fault === undefined ? records : undefined
}

/** The first rule that bytes break as a row of enveloped records, the states in them included. */
export function checkRecords(bytes: Uint8Array): Fault | undefined {
  const cursor = new Envelopes(bytes)
  for (let record = cursor.nextRecord(); record !== undefined; record = cursor.nextRecord()) {
    const fault = record.type.check(record.tlv)
    if (fault !== undefined) return { offset: record.bodyStart + fault.offset, rule: fault.rule }
  }
  return cursor.fault
}

/**
 * Refuses bytes that are no row of enveloped records with valid states.
 *
 * @param where - What holds the bytes, to begin the message with.
 * @throws {CodedError} `BAD_RECORD`, with the `offset` and the `rule` broken in its data.
 */
export function assertRecords(bytes: Uint8Array, where?: string): void {
  const fault = checkRecords(bytes)
  if (fault !== undefined) throw faultError(fault, where)
}

/** Text of a row of enveloped records, a line for each; `undefined` when `checkRecords` finds a fault. */
export function formatRecords(bytes: Uint8Array, form?: TextForm): string | undefined {
  let text = ''
  for (const { type, tlv } of splitRecords(bytes) ?? [{ type: undefined, tlv: bytes }]) {
    const line = type?.string(tlv, form)
    if (line === undefined) return undefined
    text += `${line}\n`
  }
  return text
}

/**
 * Enveloped records of a text with any number of values.
 *
 * @throws {CodedError} `RDX_TEXT`, with `line` and `column` in its data.
 */
export function parseRecords(text: string): Uint8Array {
  const reader = new TextReader(text)
  const writer = new TlvWriter(text.length + 16)
  while (!reader.atEnd) {
    const type = typeAhead(reader)
    if (type === undefined) reader.element(writer)
    else {
      writer.begin(type.letter)
      type.read(reader, writer)
      writer.end()
    }
  }
  return writer.copy()
}

/** The type of the value that follows, `undefined` for an element. */
function typeAhead(reader: TextReader): Pick<RdxType<unknown>, 'letter' | 'read'> | undefined {
  const first = reader.peek()
  if (first === 0x5b) return TYPES.L
  if (first !== 0x7b) {
    const name = reader.text[reader.at] as string
    return 'CNVZ'.includes(name) && reader.text[reader.at + 1] === '<' ? typeOf(name) : undefined
  }
  // The first element tells a set from a map; then it is read again.
  const { at } = reader
  reader.at++
  let isMap = reader.take(':')
  if (!isMap && reader.peek() !== 0x7d) {
    reader.value()
    reader.stamp()
    isMap = reader.take(':')
  }
  reader.at = at
  return isMap ? TYPES.M : TYPES.E
}

/**
 * Merges enveloped records, one in each input. All must be of one type; elements, of any of their types, are merged by rank
 * as the values of a map are.
 *
 * @returns One enveloped record. `undefined` when an input is not one valid record, when their types differ, when there are
 *   no inputs, or where type C refuses.
 */
export function mergeRecords(inputs: readonly Uint8Array[]): Uint8Array | undefined {
  const records: Enveloped[] = []
  for (const input of inputs) {
    const split = splitRecords(input)
    if (split?.length !== 1) return undefined
    const [record] = split as [Enveloped]
    if (!record.type.valid(record.tlv)) return undefined
    records.push(record)
  }
  const [first] = records
  if (first === undefined) return undefined
  if (isFirst(first.letter.charCodeAt(0))) return mergeElements(records)
  if (records.some(({ letter }) => letter !== first.letter)) return undefined
  const merged = first.type.merge(records.map(({ tlv }) => tlv))
  return merged === undefined ? undefined : encodeRecord(first.letter, merged)
}

function mergeElements(records: readonly Enveloped[]): Uint8Array | undefined {
  let best: ElementView | undefined
  let winner: Enveloped | undefined
  for (const record of records) {
    const view = new ElementView()
    if (!isFirst(record.letter.charCodeAt(0))) return undefined
    view.readBare(record.tlv, record.letter.charCodeAt(0))
    if (best !== undefined && compareRank(best, view) >= 0) continue
    best = view
    winner = record
  }
  return winner && encodeRecord(winner.letter, winner.tlv)
}

/**
 * What of one enveloped record the holder of another one lacks.
 *
 * @returns One enveloped record. `undefined` when either is not one valid record, or their types differ.
 */
export function diffRecords(newer: Uint8Array, older: Uint8Array): Uint8Array | undefined {
  const [a, b] = [splitRecords(newer), splitRecords(older)]
  if (a?.length !== 1 || b?.length !== 1) return undefined
  const [{ type, tlv, letter }, { tlv: old, letter: other }] = [a[0] as Enveloped, b[0] as Enveloped]
  if (letter !== other || !type.valid(tlv) || !type.valid(old)) return undefined
  return encodeRecord(letter, type.diff(tlv, type.vector(old)))
}
