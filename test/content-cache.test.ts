/**
 * Contents at hand: found again, never believed, and never too many.
 * @module
 */
import assert from 'node:assert/strict'
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { defaultCrypto as crypto } from '../src/crypto/default.js'
import { commit, initRepository, Repository, switchTo, Worktree } from '../src/index.js'
import { ContentCache } from '../src/worktree/content-cache.js'
import { nowhere, temporary } from './support/temp.js'
import { HOME } from './support/weft.js'

const author = { name: 'Ada', email: 'ada@example.com' }

/** Puts a file into a work tree and has it kept. */
function kept(root: string, cache: ContentCache, content: string | Uint8Array): string {
  writeFileSync(join(root, 'file'), content)
  const bytes = readFileSync(join(root, 'file'))
  const sha256 = crypto.sha256Hex(bytes)
  cache.keep('file', bytes.length, sha256)
  return sha256
}

describe('contents at hand', () => {
  it('are given back, but not once somebody has written to them', () => {
    const root = temporary('cache')
    mkdirSync(join(root, '.weft'))
    const cache = new ContentCache(root)
    const sha256 = kept(root, cache, 'one\n')
    assert.equal(Buffer.from(cache.get(sha256) ?? []).toString(), 'one\n')
    // The same file by another name.
    writeFileSync(join(root, 'file'), 'two\n')
    assert.equal(cache.get(sha256), undefined)
    assert.deepEqual(readdirSync(join(root, '.weft/cache')), [])
    assert.equal(cache.get('0'.repeat(64)), undefined)
  })

  it('are no more than so many bytes, the newest of them', () => {
    const root = temporary('cache')
    mkdirSync(join(root, '.weft'))
    const cache = new ContentCache(root)
    const large = new Uint8Array(1024 * 1024)
    for (let i = 0; i < 70; i++) {
      large[0] = i
      kept(join(root), cache, large)
      // A file of its own each time: what is kept is a link to it.
      writeFileSync(join(root, 'next'), '')
      cache.trim()
    }
    const left = readdirSync(join(root, '.weft/cache')).length
    assert.ok(left >= 32 && left <= 64, `${left} files of a MiB are left`)
    large[0] = 200
    const beyond = kept(root, cache, new Uint8Array(1024 * 1024 + 1))
    assert.equal(cache.get(beyond), undefined)
  })

  it('do not spoil a work tree when they are damaged', async () => {
    const root = nowhere('cache')
    await initRepository(root, 'main', { home: HOME })
    await using repo = await Repository.open(root, { home: HOME })
    const work = await Worktree.open(repo)
    const path = join(root, 'f')
    writeFileSync(path, 'one\n')
    await commit(work, { message: 'one', author })
    await switchTo(work, { create: 'topic' })
    writeFileSync(path, 'two\n')
    await commit(work, { message: 'two', author })
    await switchTo(work, { to: 'main' })
    const cached = readdirSync(join(root, '.weft/cache'))
    assert.equal(cached.length, 1)
    for (const name of cached) writeFileSync(join(root, '.weft/cache', name), 'TWO\n')
    await switchTo(work, { to: 'topic' })
    assert.equal(readFileSync(path, 'utf8'), 'two\n')
  })
})
