/**
 * Restoring: what is written, what is refused, and that nothing is ever half there.
 * @module
 */
import assert from 'node:assert/strict'
import {
  chmodSync,
  chownSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { before, describe, it } from 'node:test'
import { importGit, openIdentity, type Repository } from '../src/index.js'
import { compareDisk } from './suites/roundtrip.js'
import { fixture } from './support/corpus.js'
import { filesBelow } from './support/disk.js'
import type { GitCommit } from './support/git.js'
import { type Imported, imported, importedFrom } from './support/imported.js'
import { nowhere, temporary } from './support/temp.js'
import { HOME } from './support/weft.js'

describe('restore', () => {
  let source: Imported
  before(async () => {
    source = await imported('oddities')
  })

  async function withRepository<T>(work: (repo: Repository) => Promise<T>, from = source): Promise<T> {
    await using repo = await from.open()
    return await work(repo)
  }

  function commitOf(message: string): GitCommit {
    const found = source.mirror.commits().find((commit) => commit.message.trimEnd() === message)
    assert.ok(found, message)
    return found
  }

  it('writes versions as a checkout would', async () => {
    const commits = source.mirror.commits().filter((_, i) => i % 8 === 0)
    await withRepository(async (repo) => {
      for (const commit of commits) {
        const to = nowhere()
        const report = await repo.restore({ at: commit.id, to })
        compareDisk(commit, to, source.mirror)
        assert.equal(report.to, to)
        assert.equal(report.files, source.mirror.files(commit.tree).size)
      }
    })
  })

  it('makes an empty directory of a submodule', async () => {
    const to = nowhere()
    await withRepository((repo) => repo.restore({ at: commitOf('path: a submodule').id, to }))
    assert.deepEqual(readdirSync(join(to, 'kind/module')), [])
  })

  it('writes the chosen paths only', async () => {
    const { id } = commitOf('path: an exact rename')
    const cases: [paths: string[], files: string[]][] = [
      [['kind/run'], ['kind/run']],
      [
        ['kind/run', './kind/run', 'kind/plain'],
        ['kind/plain', 'kind/run'],
      ],
      [['move/tree/'], ['move/tree/a.txt', 'move/tree/b/c.txt', 'move/tree/empty']],
      [
        ['move/tree', 'move/tree/b'],
        ['move/tree/a.txt', 'move/tree/b/c.txt', 'move/tree/empty'],
      ],
    ]
    await withRepository(async (repo) => {
      for (const [paths, files] of cases) {
        const to = nowhere()
        assert.equal((await repo.restore({ at: id, to, paths })).files, files.length)
        assert.deepEqual([...filesBelow(to).keys()].sort(), files)
      }
      const everything = await repo.restore({ at: id, to: nowhere(), paths: [''] })
      assert.equal(everything.files, (await repo.list({ at: id })).length)
    })
  })

  it('refuses a path that is not there, and writes nothing', async () => {
    const to = nowhere()
    await withRepository(async (repo) => {
      await assert.rejects(repo.restore({ at: 'main', to, paths: ['kind', 'no/such'] }), { code: 'PATH_UNKNOWN' })
      await assert.rejects(repo.restore({ at: 'no such version', to }), { code: 'V_UNKNOWN' })
    })
    assert.deepEqual(readdirSync(dirname(to)), [])
  })

  it('makes the parents of a new directory, and takes them away when it fails', async () => {
    const top = temporary()
    await withRepository(
      async (repo) => {
        const to = join(top, 'a/b/c')
        await assert.rejects(repo.restore({ at: 'link-nul', to }), { code: 'PATH_UNSAFE' })
        assert.deepEqual(readdirSync(top), [])
      },
      await hostile('link-nul'),
    )
    const to = join(top, 'a/b/c')
    await withRepository((repo) => repo.restore({ at: 'main', to }))
    assert.deepEqual(readdirSync(join(top, 'a/b')), ['c'])
  })

  it('gives the modes that the umask leaves', async () => {
    const to = nowhere()
    const was = process.umask(0o027)
    try {
      await withRepository((repo) => repo.restore({ at: commitOf('path: executables').id, to }))
    } finally {
      process.umask(was)
    }
    const mode = (path: string): number => statSync(join(to, path)).mode & 0o777
    assert.deepEqual([mode('kind/run'), mode('kind/plain'), mode('kind')], [0o750, 0o640, 0o750])
  })

  it('tells how far it is', async () => {
    const told: [string, number, number][] = []
    const progress = (...step: [string, number, number]): void => void told.push(step)
    const { files } = await withRepository((repo) => repo.restore({ at: 'main', to: nowhere(), progress }))
    assert.deepEqual(told.at(-1), ['restore', files, files])
    assert.ok(
      told.every(
        ([phase, done, total], i) => phase === 'restore' && total === files && done >= (told[i - 1]?.[1] ?? 0),
      ),
    )
  })

  describe('into a directory that is there', () => {
    /** Restores `small` and says what is there afterwards, besides what should be. */
    async function restoreInto(to: string): Promise<void> {
      const small = await imported('small')
      await withRepository((repo) => repo.restore({ at: 'main', to }), small)
      compareDisk(small.mirror.commits('main').at(-1) as GitCommit, to, small.mirror)
    }

    it('and is empty', async () => {
      const to = temporary()
      chmodSync(to, 0o750)
      await restoreInto(to)
      assert.equal(statSync(to).mode & 0o777, 0o750)
      assert.deepEqual(
        readdirSync(dirname(to)).filter((name) => name.includes('.weft-')),
        [],
      )
    })

    it('and somebody stands in it: it stays the directory it was', async () => {
      const to = temporary()
      const { ino } = statSync(to)
      const was = process.cwd()
      process.chdir(to)
      try {
        await restoreInto('.')
        assert.equal(statSync('.').ino, ino)
      } finally {
        process.chdir(was)
      }
      assert.equal(statSync(to).ino, ino)
    })

    it('and is reached by a link, which stays', async () => {
      const to = temporary()
      const link = join(temporary(), 'link')
      symlinkSync(to, link)
      await restoreInto(link)
      assert.ok(lstatSync(link).isSymbolicLink())
      assert.ok(existsSync(join(to, 'README.md')))
    })

    it('and is not empty, is a file, or is nothing at all', async () => {
      const dir = temporary()
      writeFileSync(join(dir, 'precious'), 'mine\n')
      const dangling = join(temporary(), 'dangling')
      symlinkSync('nowhere', dangling)
      const cases: [to: string, code: string][] = [
        [dir, 'DIR_NOT_EMPTY'],
        [join(dir, 'precious'), 'DIR_IS_FILE'],
        [dangling, 'DIR_IS_FILE'],
        [join(dir, 'precious', 'below'), 'DIR_NOT_FOUND'],
      ]
      for (const [to, code] of cases) await assert.rejects(restoreInto(to), { code, blame: 'user' }, to)
      assert.deepEqual(readdirSync(dir), ['precious'])
      assert.equal(readFileSync(join(dir, 'precious'), 'utf8'), 'mine\n')
    })

    it('and may not be written', { skip: process.getuid?.() !== 0 && 'only root can be somebody else' }, async () => {
      const dir = temporary()
      const there = join(dir, 'there')
      mkdirSync(there)
      const small = await imported('small')
      await using repo = await small.open()
      process.seteuid?.(65_534)
      try {
        for (const to of [join(dir, 'to'), there, join(dir, 'a', 'b')]) {
          await assert.rejects(repo.restore({ at: 'main', to }), { code: 'DISK_DENIED', blame: 'user' }, to)
        }
      } finally {
        process.seteuid?.(0)
      }
      assert.deepEqual(readdirSync(dir), ['there'])
      assert.deepEqual(readdirSync(there), [])
    })

    it('and is the one place that may be written', {
      skip: process.getuid?.() !== 0 && 'only root can be somebody else',
    }, async () => {
      const dir = temporary()
      const to = join(dir, 'to')
      mkdirSync(to)
      chownSync(to, 65_534, 65_534)
      const small = await imported('small')
      await using repo = await small.open()
      process.seteuid?.(65_534)
      try {
        await repo.restore({ at: 'main', to })
      } finally {
        process.seteuid?.(0)
      }
      assert.equal(statSync(to).uid, 65_534)
      compareDisk(small.mirror.commits('main').at(-1) as GitCommit, to, small.mirror)
    })

    it('and gets a file while it is written: nothing is overwritten', async () => {
      const to = nowhere()
      mkdirSync(to)
      let put = false
      const progress = (): void => {
        if (!put) writeFileSync(join(to, 'README.md'), 'mine\n')
        put = true
      }
      const small = await imported('small')
      await assert.rejects(
        withRepository((repo) => repo.restore({ at: 'main', to, progress }), small),
        { code: 'DIR_NOT_EMPTY' },
      )
      assert.deepEqual(readdirSync(to), ['README.md'])
      assert.equal(readFileSync(join(to, 'README.md'), 'utf8'), 'mine\n')
      assert.deepEqual(readdirSync(dirname(to)), [basename(to)])
    })
  })
})

/** A repository of one branch of the hostile bundle. */
function hostile(branch: string): Promise<Imported> {
  return importedFrom(fixture('hostile'), [branch])
}

describe('restoring what was made to hurt', () => {
  const cases: [branch: string, codes: RegExp][] = [
    ['dot-git-deep', /PATH_UNSAFE/],
    ['dot-git-ignored', /PATH_UNSAFE/],
    ['dot-weft-link', /PATH_UNSAFE/],
    ['link-empty', /PATH_UNSAFE/],
    ['link-nul', /PATH_UNSAFE/],
    ['link-long', /PATH_TOO_LONG/],
    ['name-long', /PATH_TOO_LONG/],
    ['path-long', /PATH_TOO_LONG/],
  ]
  for (const [branch, code] of cases) {
    it(`is refused whole: ${branch}`, async () => {
      const to = nowhere()
      await using repo = await (await hostile(branch)).open()
      await assert.rejects(repo.restore({ at: branch, to }), { code })
      assert.deepEqual(readdirSync(dirname(to)), [])
      // What is harmless in it can be had all the same.
      assert.equal((await repo.restore({ at: branch, to, paths: ['fine.txt'] })).files, 1)
    })
  }
})

describe('checkout', () => {
  it('fills the directory of the repository, and never over other files', async () => {
    const { dir, mirror } = await importedFrom(fixture('small'))
    const commit = mirror.commits('main').at(-1) as GitCommit
    const checkout = async (): Promise<unknown> =>
      importGit({ source: fixture('small'), dir, checkout: true, identity: await openIdentity(HOME) })
    writeFileSync(join(dir, 'README.md'), 'mine\n')
    await assert.rejects(checkout(), { code: 'DIR_NOT_EMPTY' })
    assert.equal(readFileSync(join(dir, 'README.md'), 'utf8'), 'mine\n')
    assert.deepEqual(readdirSync(dir).sort(), ['.weft', 'README.md'])
    renameSync(join(dir, 'README.md'), nowhere())
    await checkout()
    const aside = nowhere()
    renameSync(join(dir, '.weft'), aside)
    compareDisk(commit, dir, mirror)
    assert.deepEqual(readdirSync(aside).sort(), ['head', 'store'])
  })
})
