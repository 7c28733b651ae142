/**
 * What was renumbered and is still called by its old name in files beside the store: a note in the store, written in one
 * batch with the renumbering, and taken out once those files are right.
 *
 *     m renumbered    v  format, ZipUint64: 1
 *                     s  + stream: old id (3), new id (3); ascending by old id
 *                     i  + version: old id (32), new id (32); ascending by old id
 *
 * @module
 */
import { concatBytes, encodeUtf8, fromHex, toHex } from '../base/bytes.js'
import { CodedError } from '../base/error.js'
import type { EntryStore } from '../lseq/entries.js'
import type { Operation } from '../lseq/store.js'
import { TlvReader, TlvWriter } from '../rdx/tlv.js'
import { unzipUint, zipUint } from '../rdx/zip.js'
import { Renaming } from './renaming.js'

const FORMAT = 1
const KEY = encodeUtf8('mrenumbered')
const ID_BYTES = 32

export function encodeRenumbered({ streams, ids }: Pick<Renaming, 'streams' | 'ids'>): Uint8Array {
  const out = new TlvWriter(72 * ids.size + 64).record('V', zipUint(FORMAT))
  for (const [old, now] of [...streams].sort(([a], [b]) => a - b)) {
    out.record('S', Uint8Array.of(old >> 16, old >> 8, old, now >> 16, now >> 8, now))
  }
  for (const [old, now] of [...ids].sort(([a], [b]) => (a < b ? -1 : 1))) {
    out.record('I', concatBytes(fromHex(old) as Uint8Array, fromHex(now) as Uint8Array))
  }
  return out.copy()
}

/** @throws {CodedError} `BAD_RECORD` for bytes that `encodeRenumbered` does not write, `FORMAT_NEWER`. */
export function decodeRenumbered(value: Uint8Array): Renaming {
  const reader = new TlvReader(value)
  const format = unzipUint(reader.expect('V'))
  if (format !== FORMAT) {
    throw new CodedError('FORMAT_NEWER', `The note of a renumbering has format ${format}; this weft knows ${FORMAT}.`, {
      hint: 'Install a newer weft.',
    })
  }
  const streams = new Map<number, number>()
  let last = -1
  for (let s = reader.optional('S'); s !== undefined; s = reader.optional('S')) {
    if (s.length !== 6) throw malformed()
    const old = Buffer.from(s).readUIntBE(0, 3)
    if (old <= last) throw malformed()
    streams.set(old, Buffer.from(s).readUIntBE(3, 3))
    last = old
  }
  const ids = new Map<string, string>()
  let before = ''
  for (let i = reader.optional('I'); i !== undefined; i = reader.optional('I')) {
    const old = toHex(i.subarray(0, ID_BYTES))
    if (i.length !== 2 * ID_BYTES || old <= before) throw malformed()
    ids.set(old, toHex(i.subarray(ID_BYTES)))
    before = old
  }
  reader.end()
  return new Renaming(streams, ids)
}

function malformed(): CodedError {
  return new CodedError('BAD_RECORD', 'The note of a renumbering is malformed.')
}

/** What files beside the store may still call by its old name; undefined where they are right. */
export async function readRenumbered(entries: EntryStore): Promise<Renaming | undefined> {
  const value = await entries.store.get(KEY)
  return value && decodeRenumbered(value)
}

/** The write that notes a renumbering, behind one that has been noted before. */
export function noteRenumbered(before: Renaming | undefined, now: Renaming): Operation {
  const streams = new Map([...(before?.streams ?? [])].map(([old, to]) => [old, now.stream(to)]))
  const ids = new Map([...(before?.ids ?? [])].map(([old, to]) => [old, now.id(to)]))
  for (const [old, to] of now.streams) streams.set(old, to)
  for (const [old, to] of now.ids) ids.set(old, to)
  return { type: 'put', key: KEY, value: encodeRenumbered({ streams, ids }) }
}

/** The write that says that files beside the store are right. */
export const FORGET_RENUMBERED: Operation = { type: 'del', key: KEY }
