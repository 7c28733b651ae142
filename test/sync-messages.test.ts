/**
 * Frames and messages: what is written is read again, however the bytes come; everything else is a coded error.
 */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { encodeUtf8 } from '../src/base/bytes.js'
import { CodedError } from '../src/base/error.js'
import { decodeTips, encodeTips, Tips } from '../src/history/published.js'
import { encodeRecord, type Letter } from '../src/rdx/tlv.js'
import { zipPair } from '../src/rdx/zip.js'
import { FrameReader } from '../src/sync/frames.js'
import {
  decodeDone,
  decodeError,
  decodeHello,
  decodeStored,
  encodeDone,
  encodeError,
  encodeHello,
  encodeStored,
  type Goal,
} from '../src/sync/messages.js'
import { anyBytes, holds, holdsAsync } from './support/property.js'

const LETTERS = [...'HPBSDE'] as Letter[]

const lseq = fc
  .tuple(fc.integer({ min: 1, max: 2 ** 40 - 1 }), fc.integer({ min: 1, max: 2 ** 24 - 1 }))
  .map(([seq, stream]) => ({ seq, stream }))

const anyTips = fc
  .array(fc.tuple(lseq, fc.integer({ min: 0, max: 2 ** 32 - 1 })), { maxLength: 20 })
  .map((all) => new Tips(all.map(([one, check]) => ({ ...one, check }))))

const anyHello = fc.record({
  protocol: fc.constant({ least: 1, most: 1 }),
  repository: fc.option(fc.uint8Array({ minLength: 32, maxLength: 32 }), { nil: undefined }),
  replica: fc.option(fc.uint8Array({ minLength: 16, maxLength: 16 }), { nil: undefined }),
  branch: fc.option(fc.string({ minLength: 1, unit: 'grapheme' }), { nil: undefined }),
  capabilities: fc.array(fc.constantFrom('one', 'two', 'x-three')),
  goal: fc.option(fc.constantFrom<Goal>('sync', 'send', 'clone', 'listen', 'fetch'), { nil: undefined }),
  tips: anyTips,
  after: fc.option(anyBytes(300), { nil: undefined }),
  wanted: fc.array(lseq, { maxLength: 10 }),
})

/** Bytes in pieces of the given lengths, over and over. */
async function* pieces(bytes: Uint8Array, lengths: readonly number[]): AsyncGenerator<Uint8Array> {
  for (let at = 0, i = 0; at < bytes.length; i++) {
    const end = at + (lengths[i % lengths.length] ?? 1)
    yield bytes.subarray(at, end)
    at = end
  }
}

/** Nothing but coded errors may come of bytes from elsewhere. */
function totally(work: () => unknown): void {
  try {
    work()
  } catch (error) {
    assert.ok(error instanceof CodedError, String(error))
  }
}

describe('frames', () => {
  it('are the same however the bytes come', async () => {
    const frames = fc.array(fc.tuple(fc.constantFrom(...LETTERS), anyBytes(700)), { maxLength: 12 })
    const lengths = fc.array(fc.integer({ min: 0, max: 900 }), { minLength: 1, maxLength: 5 })
    await holdsAsync(
      fc.asyncProperty(frames, lengths, async (all, cuts) => {
        fc.pre(cuts.some((n) => n > 0))
        const bytes = Buffer.concat(all.map(([type, body]) => encodeRecord(type, body)))
        const reader = new FrameReader(pieces(bytes, cuts))
        for (const [type, body] of all) {
          const frame = await reader.next()
          assert.equal(frame?.type, type)
          assert.deepEqual(Buffer.from(frame.body), Buffer.from(body))
        }
        assert.equal(await reader.next(), undefined)
        assert.equal(reader.bytes, bytes.length)
      }),
    )
  })

  it('that are cut off are told from an end', async () => {
    const bytes = Buffer.concat([encodeRecord('H', Buffer.alloc(10)), encodeRecord('P', Buffer.alloc(400))])
    for (let end = 0; end <= bytes.length; end++) {
      const reader = new FrameReader(pieces(bytes.subarray(0, end), [7]))
      const read = async (): Promise<number> => {
        let count = 0
        while ((await reader.next()) !== undefined) count++
        return count
      }
      const whole = end === 0 ? 0 : end === 12 ? 1 : end === bytes.length ? 2 : undefined
      if (whole === undefined) await assert.rejects(read(), { code: 'SYNC_CUT' }, `after ${end} bytes`)
      else assert.equal(await read(), whole)
    }
  })

  it('that say to be longer than may be are refused before anything more is read', async () => {
    let given = 0
    async function* endless(): AsyncGenerator<Uint8Array> {
      yield Uint8Array.of(0x50, 0xff, 0xff, 0xff, 0x7f)
      for (;;) {
        given++
        yield new Uint8Array(1 << 16)
      }
    }
    await assert.rejects(new FrameReader(endless()).next(), { code: 'SYNC_FRAME' })
    assert.equal(given, 0)
  })

  it('that are none are refused', async () => {
    for (const bytes of ['\x00', '~', '3abc', ' H', 'H\x01\x00\x00\x00x']) {
      const reader = new FrameReader(pieces(Buffer.from(bytes, 'latin1'), [1]))
      await assert.rejects(reader.next(), { code: 'SYNC_FRAME' }, JSON.stringify(bytes))
    }
  })
})

describe('messages', () => {
  it('come back as they were', () => {
    holds(
      fc.property(anyHello, (hello) => {
        const found = decodeHello(encodeHello(hello))
        assert.deepEqual({ ...found, tips: [...found.tips] }, { ...hello, tips: [...hello.tips] })
      }),
    )
    const refused = fc.array(fc.record({ lseq, code: fc.constantFrom('A', 'B_C'), reason: fc.string() }), {
      maxLength: 5,
    })
    holds(
      fc.property(anyTips, refused, fc.nat(), (tips, list, waiting) => {
        const all = list.map(({ lseq: { seq, stream }, code, reason }) => ({ seq, stream, code, reason }))
        const found = decodeDone(encodeDone({ tips, refused: all, waiting }))
        assert.deepEqual({ ...found, tips: [...found.tips] }, { tips: [...tips], refused: all, waiting })
      }),
    )
    holds(
      fc.property(anyBytes(300), anyBytes(2000), (key, page) => {
        const found = decodeStored(Uint8Array.from(encodeStored({ key, page })))
        assert.deepEqual([[...found.key], [...found.page]], [[...key], [...page]])
      }),
    )
    holds(fc.property(anyTips, (tips) => assert.deepEqual([...decodeTips(encodeTips(tips))], [...tips])))
  })

  it('of any bytes are a message or a coded error', () => {
    holds(
      fc.property(anyBytes(200), (bytes) => {
        for (const decode of [decodeHello, decodeDone, decodeStored, decodeError, decodeTips])
          totally(() => decode(bytes))
      }),
      500,
    )
    holds(
      fc.property(anyHello, fc.nat(), fc.integer({ min: 1, max: 255 }), (hello, at, flip) => {
        const bytes = encodeHello(hello)
        bytes[at % bytes.length] = (bytes[at % bytes.length] as number) ^ flip
        totally(() => decodeHello(bytes))
      }),
      500,
    )
  })

  it('of other versions of the protocol say who has to be updated, whatever else they say', () => {
    const hello = (least: number, most: number) =>
      Buffer.concat([encodeRecord('V', zipPair(most, least)), encodeRecord('Z', encodeUtf8('something new'))])
    assert.throws(() => decodeHello(hello(2, 3)), { code: 'PROTOCOL_OTHER', hint: 'Install a newer weft here.' })
    assert.throws(() => decodeHello(hello(0, 0)), {
      code: 'PROTOCOL_OTHER',
      hint: 'A newer weft has to be installed there.',
    })
  })

  it('carry errors, and say that they are somebody else’s', () => {
    const error = new CodedError('REPO_OTHER', 'These are two.', { hint: 'Clone.' })
    const told = decodeError(encodeError(error))
    assert.equal(told.code, 'REPO_OTHER')
    assert.equal(told.message, 'The other side says: These are two.')
    assert.equal(told.hint, 'Clone.')
    const odd = Buffer.concat([encodeRecord('C', encodeUtf8('toString')), encodeRecord('M', encodeUtf8('x'))])
    assert.equal(decodeError(odd).code, 'SYNC_PEER')
  })
})

describe('tips', () => {
  it('join as vectors do', () => {
    holds(
      fc.property(anyTips, anyTips, (a, b) => {
        const joined = a.join(b)
        assert.ok(joined.includes(a) && joined.includes(b))
        for (const tip of joined) {
          const expected = Math.max(a.get(tip.stream)?.seq ?? 0, b.get(tip.stream)?.seq ?? 0)
          assert.equal(tip.seq, expected)
        }
        assert.equal(joined.includes(a.join(joined)) && a.join(joined).includes(joined), true)
      }),
    )
  })

  it('are refused unless each stream is there once, in order', () => {
    const [one, two] = [new Tips([{ seq: 5, stream: 7, check: 1 }]), new Tips([{ seq: 5, stream: 9, check: 1 }])]
    const [a, b] = [encodeTips(one), encodeTips(two)]
    assert.equal(decodeTips(Buffer.concat([a, b])).size, 2)
    for (const bad of [Buffer.concat([b, a]), Buffer.concat([a, a]), a.subarray(1)]) {
      assert.throws(() => decodeTips(bad), { code: 'BAD_RECORD' })
    }
  })
})
