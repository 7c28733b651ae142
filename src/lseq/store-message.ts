/**
 * Messages between a process that holds a store and one that uses it from outside (`store-host.ts`, `remote-store.ts`).
 *
 * Two streams of bytes, one each way, each a row of ToyTLV records, short or long as ever: a message is one record. Its body
 * begins with the number of the request that it belongs to, a tiny record holding a zipped integer, `n` below; the client
 * counts up. `+` means repeated, `?` that it may be missing.
 *
 *     client                                                           host answers
 *     h  hello     version, tiny                                       h, then t; or h, l, and t when it is time; or h and
 *                                                                      the end, where the versions differ
 *     g  get       n   ( k key ) +                                     v until all are there, then o
 *     s  scan      n   f flags (1): 1 reverse, 2 keys only
 *                      l limit, zipped ?   b bytes of a batch, zipped   range      p: the first batch
 *     n  next      n                                                   p: the next batch
 *     e  end       n   no more batches are wanted                      nothing
 *     w  write     n   ( p key  v value  or  d key ) +                 nothing: a part of a batch
 *     b  batch     n   f flags (1): 1 sync                             o, when all parts sent under n are written
 *     c  clear     n   range                                           o
 *     m  compact   n                                                   o
 *     a  size      n   range                                           o with the size
 *        range         a above, gt ?   f from, gte ?   u until, lt ?   t to, lte ?
 *
 *     host
 *     h  hello     version, tiny   p process id, zipped
 *     l  locked    empty: somebody else has the turn, and this connection has to wait
 *     t  turn      empty: from now on it is this connection's turn, until one of the two closes it
 *     v  values    n   ( v value  or  m empty: there is none ) +
 *     p  pairs     n   ( k key  v value ) +, with keys only ( k key ) +; nothing behind n: the scan is over
 *     o  done      n   s size, zipped: of `a` only
 *     x  error     n   c code   m message   h hint ?   d data, JSON ?    instead of any other answer; ends a scan
 *
 * A client may begin with something else than `h`, once:
 *
 *     c  talk      empty: what follows is for whoever opened the store   t, and from there on bytes that are no messages
 *
 * The client says nothing between `h` or `c` and `t`. To the host, the end of the client's stream is the end of its turn: what it
 * has sent of a batch without its `b` was never written. Parsers are total, and refuse with `BAD_RECORD`.
 * @module
 */
import { decodeUtf8Lossy, encodeUtf8 } from '../base/bytes.js'
import { CODES, type Code, CodedError } from '../base/error.js'
import { type Letter, TlvCursor, TlvReader, TlvWriter } from '../rdx/tlv.js'
import { unzipUint, zipUint } from '../rdx/zip.js'
import type { Message } from './message-stream.js'
import type { Operation, Pair, Range, ScanOptions } from './store.js'

/** Of all that is drawn above. */
export const MESSAGE_VERSION = 1

/** Bytes of keys and values in one message, about: a larger batch takes several, a larger value makes a larger one. */
export const PART_BYTES = 1 << 20

/** What a client asks for. */
export type Request =
  | { readonly kind: 'get'; readonly number: number; readonly keys: readonly Uint8Array[] }
  | { readonly kind: 'scan'; readonly number: number; readonly keysOnly: boolean; readonly options: ScanOptions }
  | { readonly kind: 'write'; readonly number: number; readonly operations: readonly Operation[] }
  | { readonly kind: 'batch'; readonly number: number; readonly sync: boolean }
  | { readonly kind: 'clear' | 'size'; readonly number: number; readonly range: Range }
  | { readonly kind: 'next' | 'end' | 'compact'; readonly number: number }

/** What a host answers. */
export type Answer =
  | { readonly kind: 'values'; readonly number: number; readonly values: readonly (Uint8Array | undefined)[] }
  /** The records behind the number: the client knows whether they are pairs or keys. */
  | { readonly kind: 'pairs'; readonly number: number; readonly records: TlvCursor }
  | { readonly kind: 'done'; readonly number: number; readonly size: number | undefined }
  | { readonly kind: 'error'; readonly number: number; readonly error: CodedError }

const REVERSE = 1
const KEYS_ONLY = 2
const SYNC = 1

const NOTHING = new Uint8Array(0)

/** Bounds, and the letters of their records in the order in which they come. */
const BOUNDS = [
  ['gt', 'A'],
  ['gte', 'F'],
  ['lt', 'U'],
  ['lte', 'T'],
] as const satisfies readonly (readonly [keyof Range, Letter])[]

// ## Writing

/** One message whose body is the number and what `write` puts behind it. */
function message(letter: Letter, number: number, write?: (body: TlvWriter) => void, capacity = 64): Uint8Array {
  const writer = new TlvWriter(capacity)
  writer.begin(letter).tiny('N', zipUint(number))
  write?.(writer)
  return writer.end().view()
}

/** @param processId - The host's; a client has no need to say. */
export function encodeHello(processId?: number): Uint8Array {
  return message('H', MESSAGE_VERSION, (body) => {
    if (processId !== undefined) body.record('P', zipUint(processId))
  })
}

/** Appends records of one letter. */
function writeAll(body: TlvWriter, letter: Letter, bodies: readonly Uint8Array[]): void {
  for (const each of bodies) body.record(letter, each)
}

/** `L`, locked, `T`, turn, or `C`, talk. */
export function encodeSign(letter: 'L' | 'T' | 'C'): Uint8Array {
  return new TlvWriter(8).record(letter, NOTHING).view()
}

export function encodeRequest(request: Request): Uint8Array {
  const { number } = request
  switch (request.kind) {
    case 'get': {
      const { keys } = request
      return message('G', number, (body) => writeAll(body, 'K', keys), room(keys))
    }
    case 'scan':
      return message('S', number, (body) => writeScan(body, request.options, request.keysOnly))
    case 'write': {
      const { operations } = request
      const bytes = operations.flatMap((each) => (each.type === 'put' ? [each.key, each.value] : [each.key]))
      const write = (body: TlvWriter): void => {
        for (const each of operations) writeOperation(body, each)
      }
      return message('W', number, write, room(bytes))
    }
    case 'batch':
      return message('B', number, (body) => body.record('F', Uint8Array.of(request.sync ? SYNC : 0)))
    case 'clear':
      return message('C', number, (body) => writeRange(body, request.range))
    case 'size':
      return message('A', number, (body) => writeRange(body, request.range))
    case 'next':
      return message('N', number)
    case 'end':
      return message('E', number)
    case 'compact':
      return message('M', number)
  }
}

function writeScan(body: TlvWriter, options: ScanOptions, keysOnly: boolean): void {
  const { limit, batchBytes } = options
  body.record('F', Uint8Array.of((options.reverse === true ? REVERSE : 0) | (keysOnly ? KEYS_ONLY : 0)))
  if (limit !== undefined && limit >= 0 && Number.isFinite(limit)) body.record('L', zipUint(Math.floor(limit)))
  if (batchBytes !== undefined) body.record('B', zipUint(Math.min(Math.max(0, Math.floor(batchBytes)), PART_BYTES)))
  writeRange(body, options)
}

function writeRange(body: TlvWriter, range: Range): void {
  for (const [name, letter] of BOUNDS) {
    const bound = range[name]
    if (bound !== undefined) body.record(letter, bound)
  }
}

function writeOperation(body: TlvWriter, operation: Operation): void {
  if (operation.type === 'put') body.record('P', operation.key).record('V', operation.value)
  else body.record('D', operation.key)
}

export function encodeValues(number: number, values: readonly (Uint8Array | undefined)[]): Uint8Array {
  const write = (body: TlvWriter): void => {
    for (const value of values) body.record(value === undefined ? 'M' : 'V', value ?? NOTHING)
  }
  return message('V', number, write, room(values))
}

export function encodePairs(number: number, pairs: readonly Pair[]): Uint8Array {
  const write = (body: TlvWriter): void => {
    for (const [key, value] of pairs) body.record('K', key).record('V', value)
  }
  return message('P', number, write, room(pairs.flat()))
}

export function encodeKeys(number: number, keys: readonly Uint8Array[]): Uint8Array {
  return message('P', number, (body) => writeAll(body, 'K', keys), room(keys))
}

export function encodeDone(number: number, size?: number): Uint8Array {
  return message('O', number, (body) => {
    if (size !== undefined) body.record('S', zipUint(size))
  })
}

export function encodeError(number: number, error: CodedError): Uint8Array {
  return message('X', number, (body) => {
    body.latin1('C', error.code).record('M', encodeUtf8(error.message))
    if (error.hint !== undefined) body.record('H', encodeUtf8(error.hint))
    if (error.data !== undefined) body.record('D', encodeUtf8(JSON.stringify(error.data)))
  })
}

/** Bytes to set aside for records of these bodies. */
function room(bodies: readonly (Uint8Array | undefined)[]): number {
  return bodies.reduce((sum, body) => sum + (body?.length ?? 0) + 5, 32)
}

// ## Reading

/** @returns the version that the other side speaks, and, from a host, its process id. */
export function parseHello({ letter, body }: Message): { version: number; processId: number | undefined } {
  if (letter !== 'H') throw bad(`expected a hello, found "${letter}"`)
  const reader = new TlvReader(body)
  const version = unzipUint(reader.tiny('N'))
  // What another version says besides is its own affair.
  const process = version === MESSAGE_VERSION ? reader.optional('P') : undefined
  if (version === MESSAGE_VERSION) reader.end()
  return { version, processId: process && unzipUint(process) }
}

/** @throws {CodedError} `BAD_RECORD`. */
export function parseRequest({ letter, body }: Message): Request {
  const reader = new TlvReader(body)
  const number = unzipUint(reader.tiny('N'))
  switch (letter) {
    case 'G':
      return { kind: 'get', number, keys: readKeys(reader, body) }
    case 'S':
      return readScan(reader, number)
    case 'W':
      return { kind: 'write', number, operations: readOperations(reader, body) }
    case 'B':
      return ended(reader, { kind: 'batch', number, sync: readFlags(reader, SYNC) === SYNC })
    case 'C':
      return { kind: 'clear', number, range: readRange(reader) }
    case 'A':
      return { kind: 'size', number, range: readRange(reader) }
    case 'N':
      return ended(reader, { kind: 'next', number })
    case 'E':
      return ended(reader, { kind: 'end', number })
    case 'M':
      return ended(reader, { kind: 'compact', number })
    default:
      throw bad(`no request is called "${letter}"`)
  }
}

function readKeys(reader: TlvReader, body: Uint8Array): Uint8Array[] {
  return keysIn(new TlvCursor(body, reader.offset))
}

/** Key records to the end. */
export function keysIn(records: TlvCursor): Uint8Array[] {
  const keys: Uint8Array[] = []
  while (records.next()) keys.push(bodyOf(records, 'K'))
  return keys
}

/** Key and value records in turn, to the end. */
export function pairsIn(records: TlvCursor): Pair[] {
  const pairs: Pair[] = []
  while (records.next()) {
    const key = bodyOf(records, 'K')
    records.next()
    pairs.push([key, bodyOf(records, 'V')])
  }
  return pairs
}

function readScan(reader: TlvReader, number: number): Request {
  const flags = readFlags(reader, REVERSE | KEYS_ONLY)
  const [limit, batchBytes] = [reader.optional('L'), reader.optional('B')]
  const options = {
    reverse: (flags & REVERSE) !== 0,
    ...(limit && { limit: unzipUint(limit) }),
    batchBytes: batchBytes === undefined ? PART_BYTES : Math.min(unzipUint(batchBytes), PART_BYTES),
    ...readRange(reader),
  }
  return { kind: 'scan', number, keysOnly: (flags & KEYS_ONLY) !== 0, options }
}

function readRange(reader: TlvReader): Range {
  const range: { -readonly [Name in keyof Range]: Range[Name] } = {}
  for (const [name, letter] of BOUNDS) {
    const bound = reader.optional(letter)
    if (bound !== undefined) range[name] = bound
  }
  reader.end()
  return range
}

function readOperations(reader: TlvReader, body: Uint8Array): Operation[] {
  const records = new TlvCursor(body, reader.offset)
  const operations: Operation[] = []
  while (records.next()) {
    if (records.type === DELETION) operations.push({ type: 'del', key: records.body() })
    else {
      const key = bodyOf(records, 'P')
      records.next()
      operations.push({ type: 'put', key, value: bodyOf(records, 'V') })
    }
  }
  return operations
}

const DELETION = 'D'.charCodeAt(0)
const MISSING = 'M'.charCodeAt(0)

function readFlags(reader: TlvReader, known: number): number {
  const flags = reader.expect('F')
  const [value = 0] = flags
  if (flags.length !== 1 || (value & ~known) !== 0) throw bad('flags that do not exist')
  return value
}

/** @throws {CodedError} `BAD_RECORD`. */
export function parseAnswer({ letter, body }: Message): Answer {
  const reader = new TlvReader(body)
  const number = unzipUint(reader.tiny('N'))
  switch (letter) {
    case 'V':
      return { kind: 'values', number, values: readValues(new TlvCursor(body, reader.offset)) }
    case 'P':
      return { kind: 'pairs', number, records: new TlvCursor(body, reader.offset) }
    case 'O': {
      const size = reader.optional('S')
      return ended(reader, { kind: 'done', number, size: size && unzipUint(size) })
    }
    case 'X':
      return { kind: 'error', number, error: readError(reader) }
    default:
      throw bad(`no answer is called "${letter}"`)
  }
}

function readValues(records: TlvCursor): (Uint8Array | undefined)[] {
  const values: (Uint8Array | undefined)[] = []
  while (records.next()) values.push(records.type === MISSING ? undefined : bodyOf(records, 'V'))
  return values
}

/** A code of a newer version, which this one does not know, is told as `STORE_IO`. */
function readError(reader: TlvReader): CodedError {
  const code = decodeUtf8Lossy(reader.expect('C'))
  const text = decodeUtf8Lossy(reader.expect('M'))
  const [hint, data] = [reader.optional('H'), reader.optional('D')]
  reader.end()
  return new CodedError(Object.hasOwn(CODES, code) ? (code as Code) : 'STORE_IO', text, {
    hint: hint && decodeUtf8Lossy(hint),
    data: data && readData(decodeUtf8Lossy(data)),
  })
}

function readData(text: string): Readonly<Record<string, unknown>> {
  let data: unknown
  try {
    data = JSON.parse(text)
  } catch (cause) {
    throw bad('data of an error that is no JSON', cause)
  }
  if (typeof data !== 'object' || data === null || Array.isArray(data)) throw bad('data of an error that is no object')
  return data as Record<string, unknown>
}

/** The body of the record at hand, which must have this letter. */
function bodyOf(records: TlvCursor, letter: Letter): Uint8Array {
  if (records.type !== letter.charCodeAt(0)) throw bad(`expected "${letter}" before byte ${records.end}`)
  return records.body()
}

function ended<T>(reader: TlvReader, value: T): T {
  reader.end()
  return value
}

function bad(rule: string, cause?: unknown): CodedError {
  return new CodedError('BAD_RECORD', `A message about a store makes no sense: ${rule}.`, { cause })
}
