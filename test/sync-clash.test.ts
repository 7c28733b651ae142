/**
 * Two streams with one id: chance has given it to two replicas that had not met. Whoever's nobody has seen yet is renumbered.
 */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { defaultCrypto as crypto } from '../src/crypto/default.js'
import { beginStream, readRepositoryId } from '../src/history/genesis.js'
import { Repository } from '../src/repo/repository.js'
import { initRepository } from '../src/worktree/init.js'
import { merge } from '../src/worktree/merge.js'
import { asking, cloneOf, entriesIn, peerOf, refsIn, wrapped } from './support/replicas.js'
import { quick } from './support/temp.js'
import { HOME } from './support/weft.js'
import { AUTHOR, committing, edit, withWork } from './support/work-repo.js'

/** Nonces of two streams of one key that get one id. Two sets of some thousand geneses have such a pair. */
async function clashingNonces(root: string): Promise<[Uint8Array, Uint8Array]> {
  await using repo = await Repository.open(root, { home: HOME })
  const repository = await readRepositoryId(repo.entries)
  const { publicKey } = await repo.signer()
  const byStream = new Map<number, Uint8Array>()
  for (;;) {
    const nonce = crypto.randomBytes(16)
    const random = () => nonce
    const { stream } = beginStream(repository, publicKey, 'content', random, () => false)
    const other = byStream.get(stream)
    if (other !== undefined) return [other, nonce]
    byStream.set(stream, nonce)
  }
}

/** Does something while the first nonce of a stream of contents that is drawn is the given one. */
async function withNonce(nonce: Uint8Array, act: () => Promise<unknown>): Promise<void> {
  const real = crypto.randomBytes
  const drawing = crypto as { randomBytes: typeof real }
  const left = [nonce]
  drawing.randomBytes = (bytes) => (bytes === 16 ? left.shift() : undefined) ?? real(bytes)
  try {
    await act()
  } finally {
    drawing.randomBytes = real
  }
}

/** A repository and a clone of it, which both have begun a stream of the same id. */
async function clashing(): Promise<[a: string, b: string]> {
  const a = quick('repo')
  await initRepository(a, 'main', { home: HOME })
  edit(a, { 'a.txt': 'one\n' })
  await withWork(a, committing('first'))
  const [b, c] = [await cloneOf(a), await cloneOf(a)]
  const [mine, theirs] = await clashingNonces(a)
  for (const [root, nonce, name] of [
    [b, mine, 'from-b'],
    [c, theirs, 'from-c'],
  ] as const) {
    edit(root, { [name]: `${name}\n` })
    await withNonce(nonce, () => withWork(root, committing(name)))
  }
  return [b, c]
}

async function settled(a: string, b: string): Promise<void> {
  await asking(a, peerOf(b), 'sync')
  assert.deepEqual(await entriesIn(a), await entriesIn(b))
  assert.deepEqual(await refsIn(a), await refsIn(b))
  await withWork(a, (work) => merge(work, { author: AUTHOR }))
  await asking(b, peerOf(a), 'sync')
  for (const root of [a, b]) {
    await using repo = await Repository.open(root, { home: HOME })
    assert.deepEqual((await repo.verify()).damage, [])
    const paths = (await repo.list({ at: 'main' })).map(({ path }) => path)
    assert.deepEqual(paths, ['a.txt', 'from-b', 'from-c'])
  }
}

describe('streams that clash', () => {
  it('are settled by whoever asks, where nobody has seen its own', async () => {
    const [a, b] = await clashing()
    const asked = await asking(a, peerOf(b), 'sync')
    assert.deepEqual([asked.refusedThere, asked.waitingThere], [[], 0])
    await settled(a, b)
  })

  it('are settled over a carrier that answers only when it has heard all', async () => {
    const [a, b] = await clashing()
    await asking(
      a,
      wrapped(peerOf(b), (call) => call, false),
      'sync',
    )
    await settled(a, b)
  })

  it('are settled by whoever is asked, where others have seen the asking one’s', async () => {
    const [a, b] = await clashing()
    await cloneOf(a)
    await asking(a, peerOf(b), 'sync')
    await settled(a, b)
  })

  it('are refused where others have seen both, and both keys are named', async () => {
    const [a, b] = await clashing()
    await cloneOf(a)
    await cloneOf(b)
    const [before, there] = [await entriesIn(a), await entriesIn(b)]
    const { refused, refusedThere, accepted } = await asking(a, peerOf(b), 'sync')
    assert.ok(refused.some(({ code }) => code === 'STREAM_CLASH'))
    assert.ok(refusedThere.some(({ code, reason }) => code === 'STREAM_CLASH' && reason.includes('key')))
    for (const [key, value] of before) assert.equal((await entriesIn(a)).get(key), value)
    for (const [key, value] of there) assert.equal((await entriesIn(b)).get(key), value)
    assert.ok(accepted.every(({ kind }) => kind === 'refs'))
  })
})
