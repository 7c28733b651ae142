/**
 * Malformed records: each is refused with the offset and the rule it breaks, and nothing throws.
 * @module
 */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { fromHex } from '../src/base/bytes.js'
import {
  assertRecords,
  checkRecords,
  diffRecords,
  formatRecords,
  mergeRecords,
  splitRecords,
} from '../src/rdx/records.js'
import { assertValid, TYPES } from '../src/rdx/types.js'
import { anyBytes, holds } from './support/property.js'
import { askState, askText } from './support/rdx-ask.js'

const hex = (text: string): Uint8Array => fromHex(text.replaceAll(' ', '')) as Uint8Array

const FAULTS: [name: string, bytes: string, offset: number, rule: RegExp][] = [
  ['a bad first byte', '01', 0, /^no record begins with byte 0x01 here$/],
  ['a tiny record at the top', '30', 0, /^no record begins with byte 0x30 here$/],
  ['an unknown type letter', '690130 7800', 3, /^there is no type "X"$/],
  ['a short header cut off', '69', 0, /^the header of a record is cut off$/],
  ['a long header cut off', '49000100', 0, /^the header of a record is cut off$/],
  ['a short body', '6905 30', 0, /^a record of 5 bytes is cut off after 1$/],
  ['a long body cut off', '5300010000 30', 0, /^a record of 256 bytes is cut off after 1$/],
  ['a huge promise', '53ffffffff', 0, /^a record of 4294967295 bytes is cut off after 0$/],
  ['an overlong header', '5302000000 3061', 0, /^a long record of 2 bytes must be short$/],
  ['trailing bytes', '690130 00', 3, /^no record begins with byte 0x00 here$/],
  ['an element without a stamp', '6900', 2, /^the element has no stamp$/],
  ['a stamp that is no record', '690178', 2, /^no stamp begins with byte 0x78$/],
  ['a stamp cut off', '69023302', 2, /^the stamp is cut off$/],
  ['a lettered stamp cut off', '690174', 2, /^the stamp is cut off$/],
  ['a lettered stamp with a short body', '690374 0a 02', 2, /^the stamp is cut off$/],
  ['a short stamp that must be tiny', '690474020202', 2, /^a stamp of 2 bytes must be tiny$/],
  ['no pair of that length', '690837 01010101010101', 3, /^no stamp has 7 bytes$/],
  ['an overlong stamp', '6903320200', 3, /^the stamp is overlong$/],
  ['an overlong stamp of three bytes', '690433020001', 3, /^the stamp is overlong$/],
  ['a stamp out of range', '690a39 ffffffffffffffff 01', 3, /^the stamp is out of range/],
  ['an overlong integer', '6903300200', 3, /^the number is overlong/],
  ['an integer over 64 bits', '690a30 010101010101010101', 3, /^a number has at most 8 bytes, this one 9$/],
  ['NaN', '660930 feff000000000080', 3, /^the float is NaN$/],
  ['another NaN', '66033 0ff1f', 3, /^the float is NaN$/],
  ['an overlong float', '66023000', 3, /^the number is overlong/],
  ['invalid UTF-8', '730230ff', 3, /^the text is not valid UTF-8$/],
  ['half a surrogate pair', '740430eda080', 3, /^the text is not valid UTF-8$/],
  ['an id that is no pair', '720830 01010101010101', 3, /^no pair has 7 bytes$/],
  ['an overlong id', '7203300100', 3, /^the pair is overlong$/],
  ['a causal counter that is overlong', '630100', 2, /^the number is overlong/],
  ['a set out of order', '6508 69023004 69023002', 6, /^the elements are not in order$/],
  ['a set with a duplicate', '6509 69023002 6903310202', 6, /^the same element stands twice$/],
  ['a set that nests', '6505 6503690130', 2, /^no element has the type "E"$/],
  ['a set with a bad element', '6504 690230 00', 5, /^the number is overlong/],
  ['a set with letters out of order', '6506 730130 690130', 5, /^the elements are not in order$/],
  ['a set with a bad last record', '6504 690130 69', 5, /^the header of a record is cut off$/],
  ['a map without a last value', '6d03 690130', 2, /^the key has no value$/],
  ['a map with a value that is no element', '6d05 690130 6500', 5, /^no element has the type "E"$/],
  ['a map with a bad value', '6d07 690130 69023000', 8, /^the number is overlong/],
  ['a map with a value cut off', '6d04 690130 69', 5, /^the header of a record is cut off$/],
  ['a map with a key twice', '6d0c 690130 690130 690130 690130', 8, /^the same element stands twice$/],
  ['a map with a lone key before others', '6d0c 69023101 6903310102 690130', 11, /^the key has no value$/],
  ['a counter of other records', '6e03 690130', 2, /^expected a record of type "U", found "I"$/],
  ['a counter with a zero', '6e04 75020001', 4, /^a value of 0 must be left out$/],
  ['a counter with an empty pair', '6e02 7500', 4, /^a value of 0 must be left out$/],
  ['a counter out of order', '6e08 75020102 75020101', 6, /^the elements are not in order$/],
  ['a counter with an author twice', '6e08 75020101 75020201', 6, /^the same element stands twice$/],
  ['a counter with an overlong pair', '6e04 75020100', 4, /^the pair is overlong$/],
  ['a counter with no pair', '6e09 7507 01010101010101', 4, /^no pair has 7 bytes$/],
  ['a two-way counter of texts', '7a04 73023061', 2, /^expected a record of type "I", found "S"$/],
  ['a two-way counter with an author twice', '7a0a 6903310202 6903310404', 7, /^the same element stands twice$/],
  ['a vector of other records', '7604 75020101', 2, /^expected a record of type "V", found "U"$/],
]

describe('rdx: malformed records', () => {
  for (const [name, bytes, offset, rule] of FAULTS) {
    it(`are refused: ${name}`, () => {
      const fault = checkRecords(hex(bytes))
      assert.ok(fault, 'no fault was found')
      assert.match(fault.rule, rule)
      assert.equal(fault.offset, offset)
      const message = `The message: bad record at byte ${offset}: ${fault.rule}.`
      assert.throws(() => assertRecords(hex(bytes), 'The message'), { code: 'BAD_RECORD', message, data: { ...fault } })
      assert.equal(formatRecords(hex(bytes)), undefined)
      assert.equal(mergeRecords([hex(bytes)]), undefined)
      assert.equal(diffRecords(hex(bytes), hex(bytes)), undefined)
      assert.equal(diffRecords(hex('690130'), hex(bytes)), undefined)
    })
  }

  const sound: [name: string, bytes: string][] = [
    ['the last revision', '690a39 feffffffffffffff 01'],
    ['its tombstone', '690a39 fdffffffffffffff 01'],
    ['the largest stamp there is', '691274 10 feffffffffffffff ffffffffffffffff'],
    ['infinity', '660330 fe0f'],
    ['minus infinity', '660330 ff0f'],
    ['the largest float', '660930 fef7ffffffffffff'],
    ['a lone key that was removed', '6d04 69023101'],
    ['a pair and a lone key', '6d0a 660130 690130 69023101'],
    ['an empty set', '6500'],
    ['nothing', ''],
  ]
  for (const [name, bytes] of sound) {
    it(`are told from ${name}`, () => {
      assert.equal(checkRecords(hex(bytes)), undefined)
      assertRecords(hex(bytes))
    })
  }
})

const LETTERS = Object.keys(TYPES)

describe('rdx: malformed states', () => {
  it('are refused by letter with the offset in the state', () => {
    assertValid('I', hex('30'))
    const data = { offset: 1, rule: 'the number is overlong: its last byte is zero' }
    const message = `Bad record at byte 1: ${data.rule}.`
    assert.throws(() => assertValid('I', hex('3000')), { code: 'BAD_RECORD', message, data })
    assert.throws(() => assertValid('X', hex('30')), {
      code: 'BAD_RECORD',
      data: { offset: 0, rule: 'there is no type "X"' },
    })
  })
})

describe('rdx: any bytes', () => {
  const letters = fc.constantFrom(...LETTERS)

  it('are a state or are not, and nothing throws', () => {
    holds(fc.property(letters, anyBytes(40), anyBytes(40), anyBytes(9), askState), 3000)
  })

  it('that are nearly a state are, or are not, and nothing throws', () => {
    const seeds = [
      '32020102',
      '30',
      '6901306903310204',
      '69013069013073023061690130',
      '75020101',
      '76020101',
      '6903310202',
    ]
    const mutated = fc
      .tuple(fc.constantFrom(...seeds.map(hex)), fc.nat(40), fc.nat(255), fc.nat(2))
      .map(([seed, at, byte, how]) => {
        const bytes = [...seed]
        bytes.splice(at % (bytes.length + 1), how === 0 ? 0 : 1, ...(how === 2 ? [] : [byte]))
        return Uint8Array.from(bytes)
      })
    holds(fc.property(letters, mutated, mutated, mutated, askState), 10_000)
  })

  it('are records or are not', () => {
    holds(
      fc.property(anyBytes(40), (bytes) => {
        const fault = checkRecords(bytes)
        assert.equal(formatRecords(bytes) === undefined, fault !== undefined)
        if (fault === undefined) assert.ok(splitRecords(bytes))
      }),
      2000,
    )
  })

  it('as text are values or are refused, and nothing else is thrown', () => {
    const chars = fc.constantFrom(...'{}[]<>:,"\\@?-.0189aeftuCNVZ \n')
    const letter = fc.option(letters, { nil: undefined })
    holds(fc.property(letter, fc.string({ unit: chars, maxLength: 12 }), askText), 5000)
  })
})
