/**
 * All that may be asked of bytes or text that came from anywhere, and what must hold of the answers whatever they are.
 * @module
 */
import assert from 'node:assert/strict'
import { equalBytes, toHex } from '../../src/base/bytes.js'
import { CodedError } from '../../src/base/error.js'
import { checkRecords, formatRecords, parseRecords } from '../../src/rdx/records.js'
import { RecordStream } from '../../src/rdx/stream.js'
import * as types from '../../src/rdx/types.js'

function same(found: Uint8Array | undefined, wished: Uint8Array | undefined, law: string): void {
  if (found === wished || (found && wished && equalBytes(found, wished))) return
  assert.fail(`${law}: ${found && toHex(found)} is not ${wished && toHex(wished)}`)
}

/** Asks everything of `a`, with `b` and `c` to merge it with. None of them need be a state. */
export function askState(letter: string, a: Uint8Array, b: Uint8Array, c: Uint8Array): void {
  const before = [a, b, c].map(toHex)
  const valid = types.valid(letter, a)
  const fault = types.check(letter, a)
  assert.equal(valid, fault === undefined)
  if (fault !== undefined) assert.ok(fault.offset >= 0 && fault.offset <= a.length && fault.rule.length > 0)
  const text = types.string(letter, a)
  assert.equal(text !== undefined, valid)
  assert.equal(types.string(letter, a, 'plain') !== undefined, valid)
  const native = types.plain(letter, a)
  if (!valid) assert.equal(native, undefined)

  const canonical = types.merge(letter, [a])
  const merged = types.merge(letter, [a, b])
  // Two causal counters that differ are refused, whatever is added.
  if (letter !== 'C') {
    assert.ok(canonical && merged)
    if (text !== undefined) same(types.parse(letter, text), canonical, 'parse(string(x)) = merge([x])')
    same(types.merge(letter, [b, a]), merged, 'merge is commutative')
    same(types.merge(letter, [merged, a, b]), merged, 'merge absorbs')
    const all = types.merge(letter, [a, b, c])
    same(types.merge(letter, [merged, c]), all, 'n-ary is binary, from the left')
    const right = types.merge(letter, [b, c])
    same(types.merge(letter, [a, right as Uint8Array]), all, 'n-ary is binary, from the right')
    same(types.merge(letter, [b, types.diff(letter, a, new Uint8Array(0))]), merged, 'diff against nothing')
    same(types.merge(letter, [a, types.diff(letter, a, types.vector(letter, b))]), canonical, 'diff is a part')
  }
  if (merged !== undefined) assert.equal(types.check(letter, merged), undefined)
  assert.equal(types.check(letter, types.diff(letter, a, types.vector(letter, b))), undefined)
  assert.equal(types.check(letter, types.diff(letter, a, b)), undefined)
  assert.equal(types.check('V', types.vector(letter, a)), undefined)
  assert.equal(types.compare(letter, a, a), 0)
  assert.equal(Math.sign(types.compare(letter, a, b)) + Math.sign(types.compare(letter, b, a)), 0)

  assert.equal(formatRecords(a) === undefined, checkRecords(a) !== undefined)
  const stream = new RecordStream(1000)
  stream.push(a.subarray(0, 3))
  stream.push(a.subarray(3))
  stream.end()
  assert.deepEqual([a, b, c].map(toHex), before, 'an input was changed')
}

/** Asks for the state of a text of a type, or of a text with values of any types. */
export function askText(letter: string | undefined, text: string): void {
  let bytes: Uint8Array
  try {
    bytes = letter === undefined ? parseRecords(text) : types.parse(letter, text)
  } catch (error) {
    assert.ok(error instanceof CodedError && error.code === 'RDX_TEXT', String(error))
    return
  }
  const written = letter === undefined ? formatRecords(bytes) : types.string(letter, bytes)
  assert.ok(written !== undefined, 'what was read is no state')
  same(
    letter === undefined ? parseRecords(written) : types.parse(letter, written),
    bytes,
    'what is written is read back',
  )
}
