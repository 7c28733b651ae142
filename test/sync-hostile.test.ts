/**
 * Peers that are broken or hostile: whatever they say, it is a coded error, the store stays as it was or gets only what is
 * sound, and nobody runs out of memory.
 */
import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { before, describe, it } from 'node:test'
import { brotliCompressSync, constants, crc32 } from 'node:zlib'
import { encodeUtf8, toHex } from '../src/base/bytes.js'
import { CodedError } from '../src/base/error.js'
import { readRepositoryId } from '../src/history/genesis.js'
import { groupsKey, versionKey } from '../src/history/keys.js'
import { type Tip, Tips } from '../src/history/published.js'
import { verifyEntries } from '../src/history/verify.js'
import type { Entry } from '../src/lseq/batch.js'
import { encodePageSync } from '../src/lseq/page.js'
import { ByteWriter } from '../src/lseq/varint.js'
import { TlvWriter } from '../src/rdx/tlv.js'
import { zipPair, zipUint } from '../src/rdx/zip.js'
import { Repository } from '../src/repo/repository.js'
import { answer } from '../src/sync/answer.js'
import { ask } from '../src/sync/ask.js'
import { clone } from '../src/sync/clone.js'
import { exchangePair } from '../src/sync/memory.js'
import { decodeError, encodeError, encodeStored } from '../src/sync/messages.js'
import type { SimReplica } from './simulation/replica.js'
import { WirePeer } from './simulation/wire.js'
import { framesOf, type RawFrame, Simulation } from './simulation/world.js'
import { batch, done, frame, hello, parrot } from './support/speech.js'
import { quick } from './support/temp.js'

let replica: SimReplica
let other: SimReplica
let repository: Uint8Array

before(async () => {
  const simulation = await Simulation.begin({ seed: 4, replicas: 2, steps: 0 })
  ;[replica, other] = await simulation.pair()
  repository = await readRepositoryId(replica.entries)
})

/** All that is in a store. */
async function contents({ entries: { store } }: SimReplica): Promise<Map<string, string>> {
  const found = new Map<string, string>()
  for await (const pairs of store.scan()) for (const [key, value] of pairs) found.set(toHex(key), toHex(value))
  return found
}

/** What a replica answers to some bytes, and whether its store is as it was. */
async function answerTo(
  said: Iterable<Uint8Array> | AsyncIterable<Uint8Array>,
  batchBytes?: number,
): Promise<{ code: string | undefined; error: CodedError | undefined; frames: RawFrame[]; isSame: boolean }> {
  const one = await replica.twin(0)
  // The record of what is published may be written with the first exchange.
  await using warm = new WirePeer('mem:', () => context, true)
  const context = await one.context()
  await ask(await (await other.twin(1)).context(), warm, 'pull')
  const before = await contents(one)
  const [asking, answering] = exchangePair()
  const back: Uint8Array[] = []
  const listening = (async () => {
    for await (const piece of asking.read) back.push(piece)
  })().catch(() => undefined)
  const speaking = (async () => {
    for await (const piece of said) await asking.write(piece)
    await asking.end()
  })().catch(() => undefined)
  let error: unknown
  try {
    await answer(context, answering, { read: true, write: true }, { listen: 1, batchBytes })
  } catch (thrown) {
    error = thrown
  }
  asking.close()
  await Promise.all([listening, speaking])
  assert(error === undefined || error instanceof CodedError, String((error as Error)?.stack))
  const frames = framesOf(Buffer.concat(back))
  if (error !== undefined) assert.equal(frames.at(-1)?.type, 'E', 'the other side is told')
  const after = await contents(one)
  let isSame = after.size === before.size
  for (const [key, value] of after) isSame &&= before.get(key) === value
  return { code: error?.code, error, frames, isSame }
}

/** A page whose body is `length` bytes of one kind, in a few bytes. */
function bomb(length: number, count = 1): Uint8Array {
  const first = Uint8Array.of(0x4c, ...new Uint8Array(16))
  const page = new ByteWriter(200)
  page.byte(1)
  for (let i = 0; i < 4; i++) page.byte(0)
  page.byte(1)
  page.varint(count)
  page.varint(count * 17)
  page.varint(length)
  page.varint(first.length)
  page.bytes(first)
  page.bytes(brotliCompressSync(new Uint8Array(length), { params: { [constants.BROTLI_PARAM_QUALITY]: 1 } }))
  const bytes = Uint8Array.from(page.view())
  new DataView(bytes.buffer).setUint32(1, crc32(bytes.subarray(5)))
  return bytes
}

/** So many entries of almost nothing. */
function crumbs(count: number): Entry[] {
  return Array.from({ length: count }, (_, i) => {
    const key = new Uint8Array(12)
    key[0] = 0x50
    new DataView(key.buffer).setUint32(6, i)
    key[11] = 1
    return { key, value: new Uint8Array(0) }
  })
}

const tip = (seq: number, stream: number): Tip => ({ seq, stream, check: 0 })

describe('an answering side refuses', () => {
  const cases: [name: string, code: string, said: () => Uint8Array[]][] = [
    ['silence', 'SYNC_FRAME', () => []],
    ['no hello', 'SYNC_FRAME', () => [batch(encodePageSync(crumbs(3))), done()]],
    ['what is no frame', 'SYNC_FRAME', () => [encodeUtf8('GET / HTTP/1.1\r\n\r\n')]],
    ['a hello that is cut off', 'SYNC_CUT', () => [hello({ goal: 'sync', repository }).subarray(0, 20)]],
    ['a hello of another repository', 'REPO_OTHER', () => [hello({ goal: 'sync', repository: new Uint8Array(32) })]],
    ['a hello of none', 'REPO_OTHER', () => [hello({ goal: 'sync' })]],
    ['a hello that wants nothing', 'SYNC_FRAME', () => [hello({ repository })]],
    ['a goal that nobody knows', 'BAD_RECORD', () => [helloWith('G', encodeUtf8('q'))]],
    ['tips that are cut off', 'BAD_RECORD', () => [helloWith('T', new Uint8Array(13))]],
    ['tips out of order', 'BAD_RECORD', () => [helloWith('T', new Uint8Array(24))]],
    ['an id of the wrong length', 'BAD_RECORD', () => [hello({ goal: 'sync', repository: new Uint8Array(31) })]],
    ['two hellos', 'SYNC_FRAME', () => [begin(), begin()]],
    ['a stored page', 'SYNC_FRAME', () => [begin(), frame('S', encodeStored({ key: crumb, page: bomb(100) })), done()]],
    ['an error', 'SYNC_FRAME', () => [begin(), frame('E', encodeError(new CodedError('SYNC_CUT', 'x'))), done()]],
    ['a frame that nobody knows', 'SYNC_FRAME', () => [begin(), frame('Q'), done()]],
    ['an end in the middle of a batch', 'SYNC_FRAME', () => [begin(), frame('P', encodePageSync(crumbs(3))), done()]],
    ['an end without an end', 'SYNC_CUT', () => [begin()]],
    ['an end in the middle of a frame', 'SYNC_CUT', () => [begin(), frame('P', new Uint8Array(900)).subarray(0, 500)]],
    ['a page that is none', 'PAGE_CORRUPT', () => [begin(), batch(encodeUtf8('no page')), done()]],
    ['a page that unpacks to something else', 'PAGE_CORRUPT', () => [begin(), batch(bomb(1 << 20)), done()]],
    ['a page that unpacks to too much', 'PAGE_CORRUPT', () => [begin(), batch(bomb((1 << 26) + 1)), done()]],
    ['a frame of two gigabytes', 'SYNC_FRAME', () => [begin(), Uint8Array.of(0x50, 0xff, 0xff, 0xff, 0x7f)]],
    ['a clone that goes on with something else', 'SYNC_FRAME', () => [goesOn(), done()]],
  ]
  const begin = () => hello({ goal: 'sync', repository })
  const crumb = (crumbs(1)[0] as Entry).key
  const goesOn = () => hello({ goal: 'clone', repository, after: crumb, tips: new Tips([tip(99, 99)]) })

  /** A hello of which one record is as given. */
  function helloWith(letter: 'G' | 'T', body: Uint8Array): Uint8Array {
    const out = new TlvWriter(100).record('V', zipPair(1, 1)).record('I', repository)
    out.record('G', letter === 'G' ? body : encodeUtf8('s'))
    out.record('T', letter === 'T' ? body : new Uint8Array(0))
    return frame('H', out.copy())
  }

  for (const [name, code, said] of cases) {
    it(name, async () => {
      const answered = await answerTo(said())
      assert.deepEqual([answered.code, answered.isSame], [code, true])
    })
  }

  it('other versions of the protocol, and says which side is to be updated', async () => {
    const older = await answerTo([hello({ goal: 'sync', repository, protocol: { least: 0, most: 0 } })])
    assert.equal(older.code, 'PROTOCOL_OTHER')
    const newer = await answerTo([hello({ goal: 'sync', repository, protocol: { least: 2, most: 7 } })])
    assert.equal(newer.code, 'PROTOCOL_OTHER')
    // Each is the other side's hint.
    const hints = [older, newer].map(({ frames }) => decodeError(frames.at(-1)?.body ?? new Uint8Array(0)))
    assert.match(older.error?.message ?? '', /version 0/)
    assert.match(newer.error?.message ?? '', /versions 2 to 7/)
    for (const { code } of hints) assert.equal(code, 'PROTOCOL_OTHER')
    assert.notEqual(older.error?.hint, newer.error?.hint)
  })

  it('a batch that never ends, at its limit', async () => {
    const page = encodePageSync(crumbs(1000))
    let pages = 0
    const said = (function* (): Generator<Uint8Array> {
      yield begin()
      for (; pages < 1e6; pages++) yield frame('P', page)
    })()
    const answered = await answerTo(said, 1 << 20)
    assert.deepEqual([answered.code, answered.isSame], ['SYNC_FRAME', true])
    assert(pages < 1000, `${pages} pages were taken`)
  })

  it('small pages with very many entries, at the same limit', async () => {
    // Each entry is an object that takes far more than the bytes it stands for.
    const page = encodePageSync(crumbs(400_000))
    assert(page.length < 1 << 20)
    const taken = await answerTo([begin(), frame('P', page), done()])
    assert.deepEqual([taken.code, taken.isSame], ['SYNC_FRAME', true], 'taken, in the middle of a batch')
    const answered = await answerTo([begin(), frame('P', page), frame('P', page)], 16 << 20)
    assert.deepEqual([answered.code, answered.isSame], ['SYNC_FRAME', true])
    assert.match(answered.error?.message ?? '', /comes at once/)
  })

  it('what drips in and stops', async () => {
    const bytes = Buffer.concat([begin(), frame('P', encodePageSync(crumbs(300)))])
    const dripping = (async function* (): AsyncGenerator<Uint8Array> {
      for (const byte of bytes.subarray(0, -1)) yield Uint8Array.of(byte)
    })()
    const answered = await answerTo(dripping)
    assert.deepEqual([answered.code, answered.isSame], ['SYNC_CUT', true])
  })

  it('entries of nobody, and strange ones, and goes on', async () => {
    const strays: Entry[] = [
      { key: encodeUtf8('?????????????'), value: encodeUtf8('what is this') },
      { key: versionKey(5, 7), value: encodeUtf8('no version') },
      { key: groupsKey(5, 7), value: encodeUtf8('no groups') },
      ...['I', 'X'].map((kind) => ({ key: encodeUtf8(`${kind}v12345678........`), value: new Uint8Array(0) })),
    ].sort((a, b) => Buffer.compare(a.key, b.key))
    const answered = await answerTo([begin(), batch(encodePageSync(strays)), batch(), done()])
    assert.deepEqual([answered.code, answered.isSame], [undefined, true])
  })

  it('tips of streams and versions that are nowhere: everything is sent that may be missing', async () => {
    const tips = new Tips([tip(5, 99), tip(2 ** 40 - 1, 2 ** 24 - 1)])
    const { code, isSame, frames } = await answerTo([hello({ goal: 'sync', repository, tips }), done()])
    assert.deepEqual([code, isSame], [undefined, true])
    assert.deepEqual([...new Set(frames.map(({ type }) => type))], ['H', 'P', 'B', 'D'])
  })

  it('wishes for what is private or nowhere', async () => {
    const wanted = [tip(5, 99), tip(2 ** 40 - 1, 2 ** 24 - 1)]
    const { code, frames } = await answerTo([hello({ goal: 'fetch', repository, wanted }), done()])
    assert.deepEqual([code, frames.map(({ type }) => type)], [undefined, ['H', 'D']])
  })
})

describe('an asking side refuses', () => {
  const answers: [name: string, code: string | undefined, said: () => Uint8Array[]][] = [
    ['silence', 'SYNC_CUT', () => []],
    ['no hello', 'SYNC_FRAME', () => [done()]],
    ['another repository', 'REPO_OTHER', () => [hello({ repository: new Uint8Array(32) }), done()]],
    ['no repository', 'REPO_OTHER', () => [hello({}), done()]],
    ['a newer protocol', 'PROTOCOL_OTHER', () => [hello({ repository, protocol: { least: 9, most: 9 } }), done()]],
    ['two hellos', 'SYNC_FRAME', () => [hello({ repository }), hello({ repository }), done()]],
    [
      'a stored page',
      'SYNC_FRAME',
      () => [hello({ repository }), frame('S', encodeStored({ key: bomb(9), page: bomb(9) }))],
    ],
    [
      'an end in the middle of a batch',
      'SYNC_FRAME',
      () => [hello({ repository }), frame('P', encodePageSync(crumbs(3))), done()],
    ],
    ['an end without an end', 'SYNC_CUT', () => [hello({ repository })]],
    ['an end that is none', 'BAD_RECORD', () => [hello({ repository }), frame('D', encodeUtf8('done'))]],
    ['bombs', 'PAGE_CORRUPT', () => [hello({ repository }), ...Array<Uint8Array>(50).fill(frame('P', bomb(1 << 26)))]],
    [
      'what was not asked for, and is of nobody',
      undefined,
      () => [hello({ repository }), batch(encodePageSync(crumbs(9))), done()],
    ],
    ['more refusals than can be', 'BAD_RECORD', () => [hello({ repository }), frame('D', refusals(101))]],
  ]

  function refusals(count: number): Uint8Array {
    const out = new TlvWriter(8000).record('T', new Uint8Array(0)).record('W', zipUint(0))
    for (let i = 0; i < count; i++) {
      out
        .begin('X')
        .record('L', Uint8Array.of(0, 0, 0, 0, 9, 0, 0, 9))
        .latin1('C', 'X')
        .record('R', encodeUtf8('no'))
        .end()
    }
    return out.copy()
  }

  for (const [name, code, said] of answers) {
    for (const isInteractive of [true, false]) {
      it(`${name}${isInteractive ? '' : ', unseen'}`, async () => {
        const one = await replica.twin(0)
        const before = await contents(one)
        for (const direction of ['sync', 'pull', 'push'] as const) {
          const asked = ask(await one.context(), parrot(said(), isInteractive), direction)
          if (code === undefined) await asked
          else await assert.rejects(asked, { code })
        }
        for (const [key, value] of await contents(one)) {
          // What is noted of peers and of what is published is no entry.
          if (!key.startsWith('6d')) assert.equal(before.get(key), value)
        }
        assert((await verifyEntries(one.entries)).ok)
      })
    }
  }

  it('errors whose text would play with the terminal', async () => {
    const evil = 'gone\u001b]0;title\u0007\u001b[2J\r\nError: all is well\u202e\u0085\u009b31m'
    const said = new CodedError('SYNC_DENIED', evil, { hint: evil })
    const asked = ask(await replica.context(), parrot([frame('E', encodeError(said))]), 'sync')
    await assert.rejects(asked, (error: CodedError) => {
      assert.equal(error.code, 'SYNC_DENIED')
      for (const text of [error.message, error.hint ?? '']) {
        assert.match(text, /gone/)
        assert.doesNotMatch(text, /[\p{Cc}\u2028\u2029\u202a-\u202e\u2066-\u2069]/u)
      }
      return true
    })
    const unknown = new TlvWriter(50).latin1('C', 'NO_SUCH\u001b[1m').record('M', encodeUtf8(evil.repeat(10_000)))
    const { code, message, data } = decodeError(unknown.copy())
    assert.equal(code, 'SYNC_PEER')
    assert(message.length < 5000, 'nobody reads that much')
    assert.doesNotMatch(String(data?.['code']), /[\p{Cc}]/u)
  })

  it('refusals whose reasons would', async () => {
    const out = new TlvWriter(200).record('T', new Uint8Array(0)).record('W', zipUint(0)).begin('X')
    out
      .record('L', Uint8Array.of(0, 0, 0, 0, 9, 0, 0, 9))
      .latin1('C', 'A\u001b[1m')
      .record('R', encodeUtf8('\u001b[2J'))
      .end()
    const said = [hello({ repository }), frame('D', out.copy())]
    const { refusedThere } = await ask(await (await replica.twin(0)).context(), parrot(said), 'push')
    assert.equal(refusedThere.length, 1)
    for (const { code, reason } of refusedThere) assert.doesNotMatch(code + reason, /[\p{Cc}]/u)
  })

  it('a peer that says to have everything, and then less, until it is told the truth', async () => {
    const one = await replica.twin(0)
    const tips = new Tips([...(await tipsOf(one))].map((each) => ({ ...each, seq: each.seq + 1000 })))
    const { sent } = await ask(await one.context(), parrot([hello({ repository, tips }), done(tips)], false), 'sync')
    assert.equal(sent, 0)
    const two = await other.twin(1)
    const there = await two.context()
    // The lie is remembered under this name.
    await using honest = new WirePeer('parrot:', () => there, false)
    await ask(await one.context(), honest, 'sync')
    await Promise.all([one.look(), two.look()])
    assert.deepEqual(one.has, two.has)
  })
})

async function tipsOf(one: SimReplica): Promise<Tips> {
  const { offeredTips } = await import('../src/sync/intake.js')
  return offeredTips(await one.context())
}

describe('a clone', () => {
  let frames: RawFrame[] = []
  /** A server of which the pages were folded, and of which some entries are loose. */
  let server: SimReplica

  before(async () => {
    server = await replica.twin(0)
    await server.alone(() => server.entries.fold())
    await server.commit()
    const { there, back } = await conversation(server)
    assert(there.length > 0)
    frames = framesOf(back)
    assert.deepEqual([...new Set(frames.map(({ type }) => type))], ['H', 'P', 'B', 'S', 'D'])
  })

  /** What is said in an honest clone. */
  async function conversation(from: SimReplica): Promise<{ there: Buffer; back: Buffer }> {
    const context = await from.context()
    await using peer = new WirePeer('mem:', () => context, true)
    await clone(peer, { root: quick('honest') })
    return peer.transcripts[0] as { there: Buffer; back: Buffer }
  }

  const whole = (some: readonly RawFrame[]) => some.map((one) => one.whole)

  async function refused(said: readonly Uint8Array[], code: RegExp): Promise<string> {
    const root = quick('clone')
    await assert.rejects(clone(parrot(said), { root }), (error: CodedError) => {
      assert(error instanceof CodedError, String((error as Error).stack))
      assert.match(error.code, code)
      return true
    })
    assert(!existsSync(join(root, '.weft', 'store')), 'nothing became a repository')
    return root
  }

  it('of an honest server succeeds', async () => {
    const root = quick('clone')
    const { verified } = await clone(parrot(whole(frames)), { root })
    assert(verified.ok)
    await using repo = await Repository.open(root)
    assert.deepEqual((await repo.verify()).damage, [])
  })

  it('of one that withholds something is refused', async () => {
    for (const [i, { type }] of frames.entries()) {
      if (type !== 'P' && type !== 'S') continue
      await refused(whole(frames.filter((_, at) => at !== i)), /^(CLONE_REFUSED|SYNC_FRAME)$/)
    }
  })

  it('of one that says less than it has promised is refused', async () => {
    const tips = new Tips([...(await tipsOf(server)), tip(77, 77)])
    await refused([hello({ repository, tips }), ...whole(frames.slice(1))], /^CLONE_REFUSED$/)
  })

  it('of one that sends pages in another order, or twice, is the same, or refused', async () => {
    const stored = frames.filter(({ type }) => type === 'S')
    const rest = frames.filter(({ type }) => !'SD'.includes(type))
    const root = quick('clone')
    const end = whole(frames.slice(-1))
    for (const some of [stored.toReversed(), [...stored, ...stored]]) {
      const said = [...whole(rest), ...whole(some), ...end]
      try {
        const { verified } = await clone(parrot(said), { root: join(root, String(some.length)) })
        assert(verified.ok)
      } catch (error) {
        assert(error instanceof CodedError && /^(SYNC_FRAME|CLONE_REFUSED)$/.test(error.code), String(error))
      }
    }
  })

  it('of one that sends pages that lie across each other, or under keys that are not theirs, is refused', async () => {
    const entries: Entry[] = []
    for await (const all of server.entries.scan({ gte: encodeUtf8('P'), lt: encodeUtf8('Q') })) entries.push(...all)
    assert(entries.length > 4)
    const odd = entries.filter((_, i) => i % 2 === 1)
    const stored = (some: readonly Entry[], key = (some.at(-1) as Entry).key) =>
      frame('S', encodeStored({ key, page: encodePageSync(some) }))
    const others = frames.slice(0, -1)
    const end = whole(frames.slice(-1))
    await refused([...whole(others), stored(odd), ...end], /^(CLONE_REFUSED|SYNC_FRAME|PAGE_CORRUPT)$/)
    await refused(
      [...whole(others), stored(entries, encodeUtf8('Zzzzzzzzzzzzz')), ...end],
      /^(CLONE_REFUSED|SYNC_FRAME|PAGE_CORRUPT)$/,
    )
  })

  it('takes no indexes, and no entries that nobody knows', async () => {
    for (const kind of ['I', 'X', '?', 'm', '\u0000']) {
      const entry = { key: encodeUtf8(`${kind}v12345678........`), value: encodeUtf8('mine') }
      const page = encodePageSync([entry])
      const ways = [batch(page), frame('S', encodeStored({ key: entry.key, page }))]
      for (const way of ways) {
        await refused([...whole(frames.slice(0, -1)), way, ...whole(frames.slice(-1))], /^(CLONE_REFUSED|SYNC_FRAME)$/)
      }
    }
  })

  it('that was cut off goes on with the same server, and is told of another', async () => {
    const root = quick('clone')
    const cut = whole(frames).slice(0, -2)
    await assert.rejects(clone(parrot(cut), { root }), { code: 'SYNC_CUT' })
    const said = [hello({ repository: new Uint8Array(32) }), done()]
    await assert.rejects(clone(parrot(said), { root }), { code: 'REPO_OTHER' })
    assert(!existsSync(join(root, '.weft', 'store')))
    const context = await server.context()
    await using peer = new WirePeer('mem:', () => context, true)
    const { verified } = await clone(peer, { root })
    assert(verified.ok)
  })

  it('that was cut off goes on although the server has gone on, and folded, and had private things added', async () => {
    for (let at = 1; at < frames.length - 1; at++) {
      const root = quick('clone')
      await assert.rejects(clone(parrot(whole(frames).slice(0, at)), { root }), { code: 'SYNC_CUT' })
      const later = await server.twin(0)
      await later.commit()
      await later.alone(() => later.entries.fold())
      await later.commit()
      const context = await later.context()
      await using peer = new WirePeer('mem:', () => context, true)
      const { verified } = await clone(peer, { root })
      assert(verified.ok)
    }
  })

  it('whose server names a branch that would spoil the head is like one that names none', async () => {
    const root = quick('clone')
    const evil = 'x\nversion 0000\u001b[2J'
    const first = hello({ repository, branch: evil, tips: await tipsOf(server) })
    const { branch } = await clone(parrot([first, ...whole(frames.slice(1))]), { root })
    assert(branch === undefined || !/\p{Cc}/u.test(branch))
  })

  it('of one that changes its mind in the middle is refused', async () => {
    for (const type of ['H', 'E', 'Q', 'D'] as const) {
      const [first, ...rest] = whole(frames)
      const said = type === 'H' ? hello({ repository }) : frame(type)
      await refused([first as Uint8Array, said, ...rest], /^(SYNC_FRAME|BAD_RECORD)$/)
    }
  })
})
