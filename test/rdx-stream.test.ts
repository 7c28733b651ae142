/**
 * Records that arrive in pieces: the same records whatever the pieces, with the memory of one record at most.
 * @module
 */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { concatBytes, fromHex, toHex } from '../src/base/bytes.js'
import { CodedError } from '../src/base/error.js'
import { parseRecords } from '../src/rdx/records.js'
import { RecordStream, readRecords, type StreamRecord } from '../src/rdx/stream.js'
import { encodeRecord } from '../src/rdx/tlv.js'
import { holds } from './support/property.js'

const hex = (text: string): Uint8Array => fromHex(text.replaceAll(' ', '')) as Uint8Array

const RECORDS = concatBytes(
  parseRecords('1{2,3} "text" {1,2} {:}'),
  encodeRecord('S', new Uint8Array(300).fill(0x61).fill(0x30, 0, 1)),
  parseRecords('null V<{1,2}>'),
)

function show(records: readonly StreamRecord[]): string[] {
  return records.map(({ letter, offset, tlv }) => `${letter}@${offset} ${toHex(tlv)}`)
}

const WHOLE = show(new RecordStream().push(RECORDS))

describe('rdx: streams', () => {
  it('give every record with its place', () => {
    assert.deepEqual(WHOLE.slice(0, 3), ['I@0 32040302', 'S@6 3074657874', 'E@13 6902300269023004'])
    assert.equal(WHOLE.length, 7)
  })

  it('give the same for every way to cut them', () => {
    const cuts = fc.array(fc.nat(RECORDS.length), { maxLength: 12 })
    holds(
      fc.property(cuts, (places) => {
        const stream = new RecordStream()
        const given: StreamRecord[] = []
        let at = 0
        for (const place of [...places.sort((a, b) => a - b), RECORDS.length]) {
          given.push(...stream.push(RECORDS.subarray(at, place)))
          at = place
        }
        assert.equal(stream.end(), undefined)
        assert.equal(stream.pending, 0)
        assert.deepEqual(show(given), WHOLE)
      }),
      2000,
    )
    const stream = new RecordStream()
    assert.deepEqual(show([...RECORDS].flatMap((byte) => stream.push(Uint8Array.of(byte)))), WHOLE)
  })

  it('keep no more than has come of one record', () => {
    const stream = new RecordStream()
    const header = hex('53 00 00 00 02')
    assert.deepEqual(stream.push(header), [])
    for (let i = 1; i <= 100; i++) {
      assert.deepEqual(stream.push(new Uint8Array(1000)), [])
      assert.equal(stream.pending, 5 + 1000 * i)
    }
    // Half a record of 32 MiB in pieces of 4 KiB: linear, not quadratic.
    const began = performance.now()
    for (let i = 0; i < 4096; i++) stream.push(new Uint8Array(4096))
    assert.ok(performance.now() - began < 3000)
    assert.match(String(stream.end()?.rule), /^the stream ends after \d+ bytes of a record$/)
  })

  const faults: [name: string, bytes: string, given: number, offset: number, rule: RegExp][] = [
    ['a bad first byte', '690130 00', 1, 3, /^no record begins with byte 0x00$/],
    ['a tiny record', '690130 3105', 1, 3, /^a tiny record has no letter/],
    ['a long record that must be short', '690130 4901000000', 1, 3, /must be short$/],
    ['a promise over the limit', '690130 4900010000', 1, 3, /^a record of 261 bytes is over the limit of 200$/],
    [
      'a record over the limit',
      `690130 69c8${'00'.repeat(200)}`,
      1,
      3,
      /^a record of 202 bytes is over the limit of 200$/,
    ],
    ['a record cut off', '690130 6905', 1, 3, /^the stream ends after 2 bytes of a record$/],
  ]
  for (const [name, bytes, given, offset, rule] of faults) {
    it(`end at ${name}, in one piece or in many`, () => {
      for (const size of [1, 2, 1000]) {
        const stream = new RecordStream(200)
        let records = 0
        for (let at = 0; at < hex(bytes).length; at += size)
          records += stream.push(hex(bytes).subarray(at, at + size)).length
        const fault = stream.end()
        assert.ok(fault)
        assert.deepEqual([records, fault.offset], [given, offset])
        assert.match(fault.rule, rule)
        assert.deepEqual(stream.push(RECORDS), [])
        assert.deepEqual(stream.fault, fault)
      }
    })
  }

  it('are read with for await, which throws a coded error', async () => {
    const records: StreamRecord[] = []
    for await (const record of readRecords([RECORDS.subarray(0, 7), RECORDS.subarray(7)])) records.push(record)
    assert.deepEqual(show(records), WHOLE)
    for (const bytes of ['690130 00', '690130 6905']) {
      await assert.rejects(
        async () => {
          for await (const { letter } of readRecords([hex(bytes)])) assert.equal(letter, 'I')
        },
        (error: unknown) => error instanceof CodedError && error.code === 'BAD_RECORD' && error.data?.['offset'] === 3,
      )
    }
  })
})
