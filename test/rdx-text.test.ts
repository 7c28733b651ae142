/**
 * The text form: what each text is in bytes, what is refused and where, and that large texts are no trouble.
 * @module
 */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { toHex } from '../src/base/bytes.js'
import { CodedError } from '../src/base/error.js'
import { checkRecords, formatRecords, parseRecords } from '../src/rdx/records.js'
import { formatFloat } from '../src/rdx/text-writer.js'
import * as types from '../src/rdx/types.js'

describe('rdx: texts', () => {
  /** Texts as `formatRecords` writes them. */
  const canonical: [text: string, bytes: string][] = [
    ['0', '690130'],
    ['-1', '69023001'],
    ['123{4,5}', '6904320805f6'],
    ['9223372036854775807', '690930feffffffffffffff'],
    ['-9223372036854775808', '690930ffffffffffffffff'],
    ['1000000000000000', '69083000008d49fd1a07'],
    ['0{9223372036854775807,1}', '690a39feffffffffffffff01'],
    ['0{-9223372036854775807,18446744073709551615}', '69127410fdffffffffffffffffffffffffffffff'],
    ['0.0', '660130'],
    ['-0.0', '66023001'],
    ['1.0', '660330fc0f'],
    ['-12.25{1,2}', '6606320202031401'],
    ['1.0e-7', ''],
    ['1.7976931348623157e+308', '660930fef7ffffffffffff'],
    ['inf', '660330fe0f'],
    ['-inf', '660330ff0f'],
    ['0-0', '720130'],
    ['1-2', '7203300201'],
    ['5e95ba-1', '72093001000000ba955e00'],
    ['ffffffffffffffff-ffffffffffffffff', `721130${'ff'.repeat(16)}`],
    ['""', '730130'],
    ['"a\\"\\\\\\n\\u0000é𝄞"', '730c3061225c0a00c3a9f09d849e'],
    ['null', '740130'],
    ['word', '740530776f7264'],
    ['t"null"', '7405306e756c6c'],
    ['t"inf"', '740430696e66'],
    ['t"two words"', '740a3074776f20776f726473'],
    ['_N9{1,1}', '74063202015f4e39'],
    ['C<-7>', '63010d'],
    ['C<0>', '6300'],
    ['N<>', '6e00'],
    ['N<{18446744073709551615,3}>', '6e0b7509ffffffffffffffff03'],
    ['Z<>', '7a00'],
    ['Z<-1{1,1},5{2,3}>', '7a0c69043202010169043204030a'],
    ['V<{1,0},{2,3}>', '760776010176020203'],
    ['{}', '6500'],
    ['{1.0,1,"1"}', '650d660330fc0f6902300273023031'],
    ['{:}', '6d00'],
    ['{1:null}', '6d0769023002740130'],
    ['{1{-3,1}:"a"{2,2}}', '6d0c690432050102730432040261'],
    ['[]', '6c00'],
  ]
  for (const [text, bytes] of canonical) {
    it(`${text.length > 60 ? `${text.slice(0, 60)}...` : text}`, () => {
      const parsed = parseRecords(text)
      assert.equal(checkRecords(parsed), undefined)
      if (bytes !== '') assert.equal(toHex(parsed), bytes)
      assert.equal(formatRecords(parsed), `${text}\n`)
      assert.equal(toHex(parseRecords(` \t\r\n${text}\n`)), toHex(parsed))
    })
  }

  /** Texts that are read, and what they are written as. */
  const other: [text: string, written: string][] = [
    ['', ''],
    ['1 2\n"a"', '1\n2\n"a"\n'],
    ['1{0,0}', '1\n'],
    ['"\\u0061\\/\\ud834\\udd1e"', '"a/𝄞"\n'],
    ['{ 1 , 2 }', '{1,2}\n'],
    ['{ : }', '{:}\n'],
    ['{ "a" : 1 , "b" : 2 }', '{"a":1,"b":2}\n'],
    ['V< {1,2} , {3,4} >', 'V<{1,2},{3,4}>\n'],
    ['0.50', '0.5\n'],
    ['t"word"', 'word\n'],
    ['123456789012345678901234567890.0', '1.2345678901234568e+29\n'],
  ]
  for (const [text, written] of other) {
    it(`${JSON.stringify(text)} is ${JSON.stringify(written)}`, () => {
      assert.equal(formatRecords(parseRecords(text)), written)
    })
  }

  it('without stamps show what is to be seen', () => {
    const shown: [text: string, plain: string][] = [
      ['5{3,1}', '5'],
      ['5{-3,1}', ''],
      ['{1{1,1},2{-2,1},3}', '{1,3}'],
      ['{1{-1,1}}', '{}'],
      ['{1{1,1}:2{2,2},3{-1,1}:4{5,5},5:6{-1,1}}', '{1:2}'],
      ['{1{-1,1}:2}', '{:}'],
      ['N<{2,1},{18446744073709551615,2}>', '18446744073709551617'],
      ['Z<-5{1,1},3{2,2},100{-3,3}>', '-2'],
      ['C<-7>', '-7'],
      ['V<{1,2}>', 'V<{1,2}>'],
    ]
    for (const [text, plain] of shown) assert.equal(formatRecords(parseRecords(text), 'plain'), `${plain}\n`)
  })

  it('of one type are read as that type', () => {
    assert.equal(toHex(types.parse('M', '{}')), '')
    assert.equal(toHex(types.parse('E', '{}')), '')
    assert.equal(types.string('N', types.parse('N', '14')), 'N<{14,0}>')
    assert.equal(types.string('N', types.parse('N', '0')), 'N<>')
    assert.equal(types.string('Z', types.parse('Z', ' -14 ')), 'Z<-14>')
    assert.equal(types.string('Z', types.parse('Z', '0')), 'Z<>')
    assert.equal(types.string('C', types.parse('C', '-9223372036854775808')), 'C<-9223372036854775808>')
  })

  const refused: [type: string, text: string, line: number, column: number, problem: RegExp][] = [
    ['', '1 @', 1, 3, /^expected a value, found @$/],
    ['', '1\n\n  }', 3, 3, /^expected a value, found \}$/],
    ['', '01', 1, 1, /^01 is no value$/],
    ['', '-0', 1, 1, /^-0 is no value$/],
    ['', '-', 1, 1, /^- is no value$/],
    ['', '1.', 1, 1, /^1. is no value$/],
    ['', '1e5', 1, 1, /^1e5 is no value$/],
    ['', '9223372036854775808', 1, 1, /does not fit in 64 bits$/],
    ['', '92233720368547758070', 1, 1, /is no value$/],
    ['', '1.0e999', 1, 1, /^the float is too large$/],
    ['', '0a-1', 1, 1, /is no value$/],
    ['', 'A-1', 1, 1, /is no value$/],
    ['', `${'1'.repeat(100)}`, 1, 1, /^1{24}\.\.\. is no value$/],
    ['', '"a', 1, 1, /^the string is not closed$/],
    ['', '"a\\', 1, 1, /^the string is not closed$/],
    ['', '"a\nb"', 1, 3, /^a control character in a string must be escaped$/],
    ['', '"\\x"', 1, 1, /^the string has an escape that JSON has not$/],
    ['', '"\\ud834"', 1, 1, /^the string has half of a surrogate pair$/],
    ['', '"\udd1e"', 1, 1, /^the string has half of a surrogate pair$/],
    ['', 't"\udd1e"', 1, 2, /^the string has half of a surrogate pair$/],
    ['', '1{1}', 1, 2, /^expected \{number,number\}, found \{$/],
    ['', '1{1, 2}', 1, 2, /^expected \{number,number\}/],
    ['', '1{01,1}', 1, 2, /^expected \{number,number\}/],
    ['', '1{1,01}', 1, 2, /^expected \{number,number\}/],
    ['', '1{,1}', 1, 2, /^expected \{number,number\}/],
    ['', '1{1,}', 1, 2, /^expected \{number,number\}/],
    ['', '1{-0,1}', 1, 2, /^\{-0,1\} is out of range$/],
    ['', '1{9223372036854775808,1}', 1, 2, /is out of range$/],
    ['', '1{-9223372036854775808,1}', 1, 2, /is out of range$/],
    ['', '1{1,18446744073709551616}', 1, 2, /is out of range$/],
    ['', '{1', 1, 3, /^expected , or \}, found the end$/],
    ['', '{1,}', 1, 4, /^expected a value, found \}$/],
    ['', '{1 2}', 1, 4, /^expected , or \}, found 2$/],
    ['', '{2,1}', 1, 4, /^the elements are not in order$/],
    ['', '{1,1{2,2}}', 1, 4, /^the same element stands twice$/],
    ['', '{1:2,1:3}', 1, 6, /^the same element stands twice$/],
    ['', '{1:2,3}', 1, 7, /^expected :, found \}$/],
    ['', '{{1}}', 1, 2, /^expected a value, found \{$/],
    ['', '{: 1}', 1, 4, /^expected \}, found 1$/],
    ['', 'N<{0,1}>', 1, 3, /^\{0,1\} is out of range$/],
    ['', 'N<{-1,1}>', 1, 3, /is out of range$/],
    ['', 'N<{1,2},{1,1}>', 1, 9, /^the authors are not in order$/],
    ['', 'V<{1,2},{1,2}>', 1, 9, /^the author stands twice$/],
    ['', 'Z<1{1,2},1{1,1}>', 1, 10, /^the authors are not in order$/],
    ['', 'Z<1{1,2},1{2,2}>', 1, 10, /^the author stands twice$/],
    ['', 'Z<"a">', 1, 3, /^expected an integer$/],
    ['', 'C<>', 1, 3, /^expected an integer, found >$/],
    ['', 'C<-0>', 1, 3, /^-0 is out of range$/],
    ['', 'C<1', 1, 4, /^expected >, found the end$/],
    ['', 'C<1x>', 1, 3, /^expected an integer, found 1x$/],
    ['', 'C<9223372036854775808>', 1, 3, /is out of range$/],
    ['I', '1 2', 1, 3, /^expected the end, found 2$/],
    ['I', '"a"', 1, 1, /^expected a value of type I, found one of type S$/],
    ['N', '-1', 1, 1, /^-1 is out of range$/],
    ['N', 'x', 1, 1, /^expected an integer, found x$/],
    ['M', '[]', 1, 1, /^expected \{, found \[$/],
    ['V', '', 1, 1, /^expected V<, found the end$/],
  ]
  for (const [type, text, line, column, problem] of refused) {
    it(`${JSON.stringify(text.slice(0, 40))} is refused${type && ` as ${type}`}`, () => {
      assert.throws(
        () => (type === '' ? parseRecords(text) : types.parse(type, text)),
        (error: unknown) => {
          assert.ok(error instanceof CodedError)
          assert.equal(error.code, 'RDX_TEXT')
          assert.match(String(error.data?.['rule']), problem)
          assert.deepEqual([error.data?.['line'], error.data?.['column']], [line, column])
          assert.ok(error.message.startsWith(`Line ${line}, column ${column}: `))
          return true
        },
      )
    })
  }

  it('of floats are the shortest', () => {
    for (const [value, text] of [
      [1e21, '1.0e+21'],
      [1.5e300, '1.5e+300'],
      [5e-324, '5.0e-324'],
      [100, '100.0'],
    ] as const) {
      assert.equal(formatFloat(value), text)
    }
  })

  it('that are deep or large neither overflow the stack nor take long', () => {
    const began = performance.now()
    for (const text of ['{'.repeat(1e6), '['.repeat(1e6), '1'.repeat(1e6), `"${'\\n'.repeat(1e6)}"`, ' '.repeat(1e6)]) {
      try {
        parseRecords(text)
      } catch (error) {
        assert.ok(error instanceof CodedError && error.code === 'RDX_TEXT')
        assert.ok(error.message.length < 200)
      }
    }
    const long = 'k'.repeat(70_000)
    const text = `{"${long}":"${long}"}\n`
    assert.equal(formatRecords(parseRecords(text)), text)
    assert.ok(performance.now() - began < 5000, 'it took over 5 s')
  })
})
