/**
 * Snapshots: names for states, signed, found again and restored.
 * @module
 */
import assert from 'node:assert/strict'
import { readdirSync } from 'node:fs'
import { before, describe, it } from 'node:test'
import { openIdentity, Repository, type Snapshot } from '../src/index.js'
import { compareDisk } from './suites/roundtrip.js'
import { fixture } from './support/corpus.js'
import { filesBelow } from './support/disk.js'
import type { GitCommit } from './support/git.js'
import { type Imported, importedFrom } from './support/imported.js'
import { nowhere } from './support/temp.js'
import { HOME } from './support/weft.js'

/** Two of the snapshots neither of which has the other in its past. */
async function twoApart(repo: Repository, snapshots: readonly Snapshot[]): Promise<[Snapshot, Snapshot]> {
  for (const one of snapshots) {
    for (const other of snapshots) {
      if ((await repo.resolve(`${one.vector},${other.vector}`)).tips.length === 2) return [one, other]
    }
  }
  throw new Error('there is only one line of versions')
}

describe('snapshots', () => {
  let source: Imported
  let commits: GitCommit[]
  before(async () => {
    source = await importedFrom(fixture('small'))
    commits = source.mirror.commits('main')
  })

  it('name the current branch, or any state', async () => {
    await using repo = await source.open()
    const now = await repo.snapshots.create('now')
    const then = await repo.snapshots.create('release/then', { at: commits[3]?.id as string })
    assert.equal(now.name, 'now')
    assert.deepEqual(now.versions, [(await repo.show('main')).id])
    assert.deepEqual(then.versions, [(await repo.show(commits[3]?.id as string)).id])
    assert.match(now.vector, /^[0-9a-f]{6}:\d+(,[0-9a-f]{6}:\d+)*$/)
    assert.match(now.time, /^20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d[+-]\d\d:\d\d$/)
    assert.ok(Math.abs(Date.parse(now.time) - Date.now()) < 60_000)
    assert.equal(now.signer, (await openIdentity(HOME)).fingerprint)
  })

  it('are there when the repository is opened again', async () => {
    await using repo = await source.open()
    assert.deepEqual(
      (await repo.snapshots.list()).map(({ name }) => name),
      ['now', 'release/then'],
    )
    assert.deepEqual(await repo.snapshots.show('now'), (await repo.snapshots.list())[0])
  })

  it('can stand wherever a version can', async () => {
    await using repo = await source.open()
    const shown = await repo.show('release/then')
    assert.equal(shown.git, commits[3]?.id)
    assert.ok(shown.names.includes('release/then'))
    assert.deepEqual(await repo.list({ at: 'release/then' }), await repo.list({ at: commits[3]?.id as string }))
    const again = await repo.snapshots.create('again', { at: 'release/then' })
    assert.equal(again.vector, (await repo.snapshots.show('release/then')).vector)
  })

  it('are restored', async () => {
    const to = nowhere()
    await using repo = await source.open()
    const report = await repo.snapshots.restore('release/then', to)
    compareDisk(commits[3] as GitCommit, to, source.mirror)
    assert.equal(report.files, filesBelow(to).size)
    await assert.rejects(repo.snapshots.restore('release/then', to), { code: 'DIR_NOT_EMPTY' })
  })

  it('may name a state that is no single version, and may be made at the same time', async () => {
    const branches = await importedFrom(fixture('badmerge'))
    await using repo = await branches.open()
    const tips = [...new Set(branches.mirror.refs().values())]
    const made = await Promise.all(tips.map((at) => repo.snapshots.create(`tip-${at}`, { at })))
    assert.equal((await repo.snapshots.list()).length, tips.length)
    const [one, other] = await twoApart(repo, made)
    const both = await repo.snapshots.create('both', { at: `${one.vector},${other.vector}` })
    assert.deepEqual([...both.versions].sort(), [...one.versions, ...other.versions].sort())
    assert.ok((await repo.list({ at: 'both' })).length > 0)
    await assert.rejects(repo.show('both'), { code: 'V_AMBIGUOUS' })
    assert.deepEqual((await repo.verify()).damage, [])
  })

  it('leave a repository that verifies', async () => {
    await using repo = await source.open()
    assert.deepEqual((await repo.verify()).damage, [])
  })

  it('refuse a name that is taken, by a snapshot, a branch or a tag', async () => {
    await using repo = await source.open()
    const refs = [...source.mirror.refs().keys()].map((ref) => ref.replace(/^refs\/\w+\//, ''))
    for (const name of ['now', ...refs]) {
      await assert.rejects(repo.snapshots.create(name), { code: 'NAME_TAKEN', blame: 'user' }, name)
    }
  })

  const bad = [
    '',
    ' ',
    ' a',
    'a ',
    '-a',
    '--help',
    'a..b',
    'a\nb',
    'a\x1b[31m',
    'a\0b',
    'HEAD',
    'abcdef:12',
    'a'.repeat(256),
  ]
  const ids = ['0'.repeat(40), 'Ab'.repeat(32), '0000aa:1,ffffff:99', 'a\ud800', 'a\u2028b', '\u00e9'.repeat(128)]
  for (const name of [...bad, ...ids]) {
    it(`refuse the name ${JSON.stringify(name).slice(0, 40)}`, async () => {
      await using repo = await source.open()
      await assert.rejects(repo.snapshots.create(name), { code: 'NAME_BAD', blame: 'user' })
    })
  }

  it('take other names as they are', async () => {
    await using repo = await source.open()
    const names = [
      '2024-01-01',
      'größe',
      'a b',
      'v1.0-rc1',
      '"quoted"',
      '日本',
      'cafe',
      '__proto__',
      'a/b/c',
      '.hidden',
    ]
    for (const name of names) assert.equal((await repo.snapshots.create(name)).name, name)
    for (const name of names) assert.equal((await repo.snapshots.show(name)).name, name)
  })

  it('that are not there are an error that names those there are', async () => {
    await using repo = await source.open()
    for (const ask of [() => repo.snapshots.show('nwo'), () => repo.snapshots.restore('nwo', nowhere())]) {
      await assert.rejects(ask, (error: { code: string; hint: string; data: { candidates: string[] } }) => {
        assert.equal(error.code, 'V_UNKNOWN')
        assert.ok(error.data.candidates.includes('now'))
        return error.hint.includes('There are: ')
      })
    }
    await assert.rejects(repo.snapshots.show('main'), { code: 'V_UNKNOWN' }, 'a branch is no snapshot')
  })

  it('cannot be made without a key, but read', async () => {
    await using repo = await Repository.open(source.dir)
    await assert.rejects(repo.snapshots.create('unsigned'), { code: 'KEY_MISSING', blame: 'user' })
    assert.ok((await repo.snapshots.list()).length > 3)
  })

  it('make a key on first use', async () => {
    const home = nowhere('home')
    await using repo = await Repository.open(source.dir, { home })
    const { signer } = await repo.snapshots.create('by another')
    assert.deepEqual(readdirSync(home), ['identity'])
    assert.equal(signer, (await openIdentity(home)).fingerprint)
    assert.notEqual(signer, (await repo.snapshots.show('now')).signer)
    assert.deepEqual((await repo.verify()).damage, [])
  })
})
