/**
 * Canonical form, put to the test: bytes that decode must be the bytes that encoding gives.
 *
 * Random bytes hardly ever decode, and random bytes in a valid record seldom. So valid bytes are changed as somebody would
 * who knows ToyTLV: records dropped, doubled, exchanged, spelled long, bodies grown or replaced, at any depth; and bytes
 * changed at random too.
 * @module
 */
import assert from 'node:assert/strict'
import fc from 'fast-check'
import { fromLatin1, toHex, toLatin1 } from '../../src/base/bytes.js'
import { CodedError } from '../../src/base/error.js'
import { readRecord } from '../../src/rdx/tlv.js'
import { anyBytes, holds } from './property.js'

/** One change; `at` and `to` are taken modulo whatever there is to choose from. */
const changes = fc.record({
  kind: fc.constantFrom('byte', 'cut', 'insert', 'drop', 'double', 'swap', 'body', 'long', 'grow', 'inside', 'inside'),
  at: fc.nat(),
  to: fc.nat(),
  bytes: fc.oneof(anyBytes(10), fc.constantFrom(new Uint8Array(1), new Uint8Array(8), new Uint8Array(32))),
})
type Change = typeof changes extends fc.Arbitrary<infer T> ? T : never

interface Piece {
  readonly letter: string
  readonly body: string
  /** The record as it stood. */
  readonly raw: string
}

/** Valid bytes, and some changes to them. */
export function changed(valid: fc.Arbitrary<Uint8Array>): fc.Arbitrary<Uint8Array> {
  return fc.tuple(valid, fc.array(changes, { maxLength: 3 })).map(([bytes, list]) => {
    return fromLatin1(list.reduce(applied, toLatin1(bytes)))
  })
}

function applied(text: string, change: Change): string {
  const { kind, at, to, bytes } = change
  const put = toLatin1(bytes)
  if (text === '') return put
  const offset = at % text.length
  if (kind === 'byte') return text.slice(0, offset) + String.fromCharCode(to % 256) + text.slice(offset + 1)
  if (kind === 'cut') return text.slice(0, offset) + text.slice(offset + 1 + (to % 4))
  const pieces = kind === 'insert' ? undefined : piecesOf(text)
  if (pieces === undefined) return text.slice(0, offset) + put + text.slice(offset)
  const i = at % pieces.length
  const piece = pieces[i] as Piece
  const raw = pieces.map((each) => each.raw)
  switch (kind) {
    case 'drop':
      raw.splice(i, 1)
      break
    case 'double':
      raw.splice(to % raw.length, 0, piece.raw)
      break
    case 'swap':
      ;[raw[i], raw[to % raw.length]] = [raw[to % raw.length] as string, piece.raw]
      break
    case 'body':
      raw[i] = spelled(piece.letter, put)
      break
    case 'long':
      raw[i] = long(piece.letter, piece.body)
      break
    case 'grow':
      raw[i] = spelled(piece.letter, `${piece.body}\0`)
      break
    default:
      raw[i] = spelled(
        piece.letter,
        applied(piece.body, { ...change, kind: to % 2 === 0 ? 'grow' : 'swap', at: to, to: at }),
      )
  }
  return raw.join('')
}

/** The records that a text is made of; undefined where it is not. */
function piecesOf(text: string): Piece[] | undefined {
  const bytes = fromLatin1(text)
  const pieces: Piece[] = []
  for (let at = 0; at < bytes.length; ) {
    const record = readRecord(bytes, at)
    if (record.kind !== 'record') return undefined
    const raw = text.slice(at, record.bodyEnd)
    pieces.push({ letter: record.type, body: text.slice(record.bodyStart, record.bodyEnd), raw })
    at = record.bodyEnd
  }
  return pieces
}

function spelled(letter: string, body: string): string {
  if (letter === '0' && body.length <= 9) return String.fromCharCode(0x30 + body.length) + body
  if (body.length > 255) return long(letter, body)
  return letter.toLowerCase() + String.fromCharCode(body.length) + body
}

function long(letter: string, body: string): string {
  const size = String.fromCharCode(body.length & 255, (body.length >> 8) & 255, body.length >> 16, 0)
  return (letter === '0' ? 'D' : letter) + size + body
}

/**
 * Holds a codec to its canonical form: whatever bytes decode are encoded to the same bytes, and all others are refused
 * with one of `codes`.
 */
export function holdsCanonical<T>(
  decode: (bytes: Uint8Array) => T,
  encode: (value: T) => Uint8Array,
  valid: fc.Arbitrary<Uint8Array>,
  { codes = ['BAD_RECORD'], runs = 3000 }: { codes?: readonly string[]; runs?: number } = {},
): void {
  holds(
    fc.property(fc.oneof({ weight: 9, arbitrary: changed(valid) }, { weight: 1, arbitrary: anyBytes(60) }), (bytes) => {
      let value: T
      try {
        value = decode(bytes)
      } catch (error) {
        if (!(error instanceof CodedError)) throw error
        assert.ok(codes.includes(error.code), error.code)
        return
      }
      assert.equal(toHex(encode(value)), toHex(bytes))
    }),
    runs,
  )
}
