/**
 * The vectors of the course that the types come from: states as bytes, which merge to one text in any order and however
 * often each is given. Lists have theirs in rdx-list.test.ts.
 * @module
 */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { fromHex, toHex } from '../src/base/bytes.js'
import {
  checkRecords,
  diffRecords,
  formatRecords,
  mergeRecords,
  parseRecords,
  splitRecords,
} from '../src/rdx/records.js'
import { merge } from '../src/rdx/types.js'

const hex = (text: string): Uint8Array => fromHex(text) as Uint8Array

const VECTORS: [name: string, inputs: string[], plain: string, exact: string][] = [
  ['I0', ['690432020102', '690432040204', '690432040106'], '3', '3{2,1}'],
  ['S0', ['73063202016f6e65', '730632040274776f', '73083204017468726565'], '"two"', '"two"{2,2}'],
  ['N0', ['6e0c750202027502030375020204', '6e0c750203037502040475020505'], '14', 'N<{2,2},{3,3},{4,4},{5,5}>'],
  [
    'Z0',
    ['7a12690432020101690432040203690432040304', '7a12690432020101690432020201690432060306'],
    '0',
    'Z<-1{1,1},-2{2,2},3{3,3}>',
  ],
  [
    'E0',
    ['651869043202010269043204010669043206010869043208010a', '650c690432020202690432040204', '650669043207020a'],
    '{1,2,3,4}',
    '{1{1,2},2{2,2},3{2,1},4{3,1},5{-4,2}}',
  ],
  [
    'M0',
    [
      '6d2469043206010269043206010269043204010669043204010869043202010a69043202010c',
      '6d2469043206010269043208010469043204010669043204010869043202010a69043202010c',
      '6d0669043201010a',
    ],
    '{1:2,3:4}',
    '{1{3,1}:2{4,1},3{2,1}:4{2,1},5{-1,1}:6{1,1}}',
  ],
]

/** All orders of some things. */
function permutations<T>(things: readonly T[]): T[][] {
  if (things.length === 0) return [[]]
  return things.flatMap((thing, i) => permutations(things.filter((_, j) => j !== i)).map((rest) => [thing, ...rest]))
}

describe('rdx: course vectors', () => {
  for (const [name, inputs, plain, exact] of VECTORS) {
    const states = inputs.map(hex)
    it(`${name}: every order of every input once and twice gives ${plain}`, () => {
      for (const input of states) assert.equal(checkRecords(input), undefined)
      // With three inputs doubled these are 720 orders.
      for (const given of [states, ...states.map((state) => [...states, state]), [...states, ...states]]) {
        for (const order of permutations(given)) {
          const merged = mergeRecords(order)
          assert.ok(merged)
          assert.equal(formatRecords(merged, 'plain'), `${plain}\n`)
          assert.equal(formatRecords(merged), `${exact}\n`)
          assert.equal(toHex(parseRecords(exact)), toHex(merged))
        }
      }
    })

    it(`${name}: merged one after the other, and by patches`, () => {
      for (const order of permutations(states)) {
        let merged = order[0] as Uint8Array
        for (const next of order.slice(1)) merged = mergeRecords([merged, next]) as Uint8Array
        assert.equal(formatRecords(merged), `${exact}\n`)
        const patch = diffRecords(merged, merged) as Uint8Array
        assert.equal(formatRecords(mergeRecords([merged, patch]) as Uint8Array), `${exact}\n`)
      }
    })

    it(`${name}: by letter, and by the older name of N`, () => {
      const records = states.map((state) => splitRecords(state)?.[0])
      const letter = records[0]?.letter as string
      const tlvs = records.map((record) => record?.tlv as Uint8Array)
      const merged = merge(letter, tlvs) as Uint8Array
      assert.equal(toHex(merged), toHex(splitRecords(parseRecords(exact))?.[0]?.tlv as Uint8Array))
      if (letter !== 'N') return
      assert.equal(toHex(merge('U', tlvs) as Uint8Array), toHex(merged))
      const older = states.map((state) => Uint8Array.of(0x75, ...state.subarray(1)))
      assert.equal(formatRecords(mergeRecords(older) as Uint8Array), `${exact}\n`)
    })
  }

  it('elements are as the drawings say', () => {
    assert.equal(toHex(parseRecords('-11{4,5}')), '690432080515')
    assert.equal(toHex(parseRecords('"test"{234,123}')), '730833d4017b74657374')
    assert.equal(
      toHex(parseRecords('0 0{1,0} 0{-1,0} 0{128,1} 0{-7,15}')),
      '690130' + '69023102' + '69023101' + '690433000101' + '6903320d0f',
    )
  })
})
