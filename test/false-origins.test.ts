/**
 * Origins that are not true, on weaves made by hand: who answers for what a line says of itself.
 */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { encodeUtf8 } from '../src/base/bytes.js'
import { falseOrigins, type OriginSources } from '../src/lines/false-origins.js'
import type { Run, Weave } from '../src/lines/weave.js'
import { Streams } from '../src/lseq/vector.js'

const streams = new Streams()
const [A, B, C] = [0xa, 0xb, 0xc].map((stream) => streams.slot(stream)) as [number, number, number]

function run(slot: number, seq: number, text: string, ...origins: Run['origins']): Run {
  const position = Uint8Array.of(0x80, slot, seq)
  return { slot, seq, text: encodeUtf8(text), position, tombstones: [], origins, starts: undefined } as Run
}

/** Lines of the first stream, from the second one on. */
const fromA = { from: 0, to: 2, seq: 2, stream: 0xa }

/** What the third stream's version stands on, and takes lines from. */
function judged(runs: Run[], covered: readonly number[], sources?: OriginSources) {
  const known = {
    covers: (by: Run, slot: number) => by.slot === slot || (by.slot === C && covered.includes(slot)),
    sources: (by: Run) => (by.slot === B ? { isMissing: false, covers: (slot: number) => slot === A } : sources),
  }
  const { untrue, doubtful } = falseOrigins({ runs } as unknown as Weave, streams, known)
  return { untrue: untrue.map(({ slot }) => slot), doubtful: doubtful.map(({ slot }) => slot) }
}

const first = run(A, 1, 'zero\none\ntwo\n')
const picked = run(B, 1, 'one\ntwo\n', fromA)
const merged = run(C, 1, 'one\ntwo\n', fromA)

describe('a line that says to be one put before', () => {
  it('is believed where its version stands on that one', () => {
    assert.deepEqual(judged([first, merged], [A]), { untrue: [], doubtful: [] })
  })

  it('is not believed where it does not, or the other is not the same', () => {
    assert.deepEqual(judged([first, merged], []).untrue, [C])
    assert.deepEqual(judged([first, run(C, 1, 'one\nTWO\n', fromA)], [A]).untrue, [C])
    assert.deepEqual(judged([first, run(C, 1, 'one\n', fromA)], [A]).untrue, [C])
  })

  it('is believed where it takes that over from a line that its version stands on', () => {
    assert.deepEqual(judged([first, picked, merged], [B]), { untrue: [], doubtful: [] })
    assert.deepEqual(judged([picked, merged], [B]).untrue, [])
    assert.deepEqual(judged([first, picked, run(C, 1, 'one\nTWO\n', fromA)], [B]).untrue, [C])
    assert.deepEqual(judged([first, picked, merged], []).untrue, [C])
  })

  it('or takes lines from', () => {
    const sources = { isMissing: false, covers: (slot: number) => slot === B }
    assert.deepEqual(judged([first, picked, merged], [], sources).doubtful, [])
    assert.deepEqual(judged([first, merged], [], sources).doubtful, [C])
  })
})
