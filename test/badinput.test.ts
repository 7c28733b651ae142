/**
 * What bad input gets: an error with a code of its own, an exit status that says whose move it is, no stack trace, and
 * nothing half-written that a re-run cannot finish.
 * @module
 */
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import {
  chmodSync,
  copyFileSync,
  cpSync,
  existsSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { before, describe, it } from 'node:test'
import { deflateSync } from 'node:zlib'
import { Repository } from '../src/index.js'
import { openLevelStore } from '../src/lseq/level.js'
import { importBundle } from './suites/roundtrip.js'
import { fixture } from './support/corpus.js'
import { GitMirror, git } from './support/git.js'
import { nowhere, temporary } from './support/temp.js'
import { weft, weftFails, weftJson } from './support/weft.js'

const SMALL = fixture('small')

/** A failed command's code and status: what callers may rely on. */
async function refusal(...args: string[]): Promise<{ code: string; status: number | null }> {
  const { code, status, message, hint } = await weftFails(args)
  assert.ok(message.length > 10, `${code} says what was wrong`)
  assert.ok(hint !== undefined && hint.length > 10, `${code} says what to do next`)
  return { code, status }
}

/** An import that failed has left nothing behind that keeps a good one from working. */
async function refusedImport(source: string, ...flags: string[]): Promise<{ code: string; status: number | null }> {
  const dir = nowhere('refused')
  const refused = await refusal('git', 'import', source, dir, ...flags)
  await importBundle(SMALL, dir)
  await expectWhole(dir)
  return refused
}

async function expectWhole(dir: string): Promise<void> {
  assert.equal((await weft(['verify', '-C', dir])).status, 0, 'the repository verifies')
}

/** A git repository with a work tree, cloned from the small bundle. */
function clone(...flags: string[]): string {
  const dir = nowhere('clone')
  git('.', ['clone', '-q', ...flags, SMALL, dir])
  return dir
}

describe('a source that is no good', () => {
  it('is not there', async () => {
    assert.deepEqual(await refusedImport(nowhere()), { code: 'GIT_NOT_FOUND', status: 1 })
  })

  it('is a directory without a repository, or a file that is no bundle', async () => {
    const dir = temporary()
    writeFileSync(join(dir, 'file'), 'no bundle\n')
    writeFileSync(join(dir, 'empty'), '')
    for (const source of [dir, join(dir, 'file'), join(dir, 'empty')]) {
      assert.deepEqual(await refusedImport(source), { code: 'GIT_NOT_FOUND', status: 1 })
    }
  })

  it('is a directory inside of a repository', async () => {
    const dir = clone()
    assert.deepEqual(await refusedImport(join(dir, 'recipes')), { code: 'GIT_NOT_FOUND', status: 1 })
  })

  it('is a shallow repository', async () => {
    const dir = nowhere('shallow')
    git('.', ['clone', '-q', '--depth', '3', `file://${clone()}`, dir])
    assert.deepEqual(await refusedImport(dir), { code: 'GIT_SHALLOW', status: 1 })
  })

  it('is a bundle whose prerequisites are missing', async () => {
    const bundle = join(temporary(), 'thin.bundle')
    git(clone(), ['bundle', 'create', '-q', bundle, 'HEAD~3..HEAD'])
    assert.deepEqual(await refusedImport(bundle), { code: 'BUNDLE_INCOMPLETE', status: 1 })
  })

  it('is a bundle cut short', async () => {
    const bundle = join(temporary(), 'cut.bundle')
    const size = readFileSync(SMALL).length
    for (const length of [20, 100, 400, size >> 1, size - 20, size - 1]) {
      copyFileSync(SMALL, bundle)
      truncateSync(bundle, length)
      assert.deepEqual(await refusedImport(bundle), { code: 'BUNDLE_DAMAGED', status: 3 }, `cut to ${length} bytes`)
    }
  })

  it('is a bundle with a flipped bit', async () => {
    const bundle = join(temporary(), 'flipped.bundle')
    const bytes = readFileSync(SMALL)
    for (const part of [0.3, 0.6, 0.9]) {
      const copy = Buffer.from(bytes)
      const at = Math.floor(copy.length * part)
      copy.writeUInt8(copy.readUInt8(at) ^ 4, at)
      writeFileSync(bundle, copy)
      assert.deepEqual(await refusedImport(bundle), { code: 'BUNDLE_DAMAGED', status: 3 }, `flipped at ${at}`)
    }
  })

  it('is a repository whose pack is damaged', async () => {
    for (const part of [0.2, 0.5, 0.8]) {
      const mirror = new GitMirror(fixture('oddities'))
      const packs = join(mirror.dir, 'objects', 'pack')
      const pack = join(packs, readdirSync(packs).find((name) => name.endsWith('.pack')) as string)
      const bytes = readFileSync(pack)
      const at = Math.floor(bytes.length * part)
      bytes.writeUInt8(bytes.readUInt8(at) ^ 0x10, at)
      chmodSync(pack, 0o644)
      writeFileSync(pack, bytes)
      const refused = await refusedImport(mirror.dir)
      assert.deepEqual(refused, { code: 'GIT_FAILED', status: 3 }, `flipped at ${at}`)
    }
  })

  it('is a repository that lacks an object', async () => {
    for (const object of ['HEAD~4', 'HEAD~2^{tree}', 'HEAD:README.md']) {
      const dir = loose()
      rmSync(objectFile(dir, object))
      const { code, status } = await refusedImport(dir)
      assert.match(code, /^GIT_(FAILED|OBJECT_MISSING)$/, object)
      assert.equal(status, 3, object)
    }
  })

  it('is a repository with another content under the name of a blob', async () => {
    const dir = loose()
    const file = objectFile(dir, 'HEAD:README.md')
    chmodSync(file, 0o644)
    writeFileSync(file, deflateSync(Buffer.from('blob 6\0fooled')))
    const { code, status } = await refusedImport(dir)
    assert.match(code, /^GIT_/)
    assert.equal(status, 3)
  })

  it('has no such ref', async () => {
    assert.deepEqual(await refusedImport(SMALL, '--ref', 'no-such-branch'), { code: 'REF_UNKNOWN', status: 1 })
  })

  it('is read where there is no git', async () => {
    const { code, status } = await weftFails(['git', 'import', SMALL, nowhere()], { env: { PATH: temporary() } })
    assert.deepEqual({ code, status }, { code: 'GIT_MISSING', status: 1 })
  })
})

/** A repository whose objects all lie loose. */
function loose(): string {
  const dir = nowhere('loose')
  git('.', ['init', '-q', '--bare', dir])
  const mirror = new GitMirror(SMALL)
  const packs = join(mirror.dir, 'objects', 'pack')
  for (const name of readdirSync(packs)) {
    if (name.endsWith('.pack')) git(dir, ['unpack-objects', '-q'], readFileSync(join(packs, name)))
  }
  copyFileSync(join(mirror.dir, 'packed-refs'), join(dir, 'packed-refs'))
  copyFileSync(join(mirror.dir, 'HEAD'), join(dir, 'HEAD'))
  return dir
}

function objectFile(dir: string, object: string): string {
  const id = git(dir, ['rev-parse', object]).toString().trim()
  return join(dir, 'objects', id.slice(0, 2), id.slice(2))
}

describe('sources that are unusual, and fine', () => {
  it('a repository without commits', async () => {
    const dir = nowhere('empty')
    git('.', ['init', '-q', dir])
    const to = nowhere()
    const report = await weftJson<{ versions: number }>(['git', 'import', dir, to])
    assert.equal(report.versions, 0)
    await importBundle(SMALL, to)
    await expectWhole(to)
  })

  it('a work tree, its .git, a linked work tree, a detached HEAD', async () => {
    const dir = clone()
    const linked = nowhere('linked')
    git(dir, ['worktree', 'add', '-q', '--detach', linked, 'HEAD~5'])
    git(dir, ['checkout', '-q', '--detach', 'HEAD~1'])
    for (const source of [dir, join(dir, '.git'), linked]) {
      const report = await weftJson<{ versions: number }>(['git', 'import', source, nowhere()])
      assert.ok(report.versions > 30, source)
    }
  })

  it('a repository whose objects are elsewhere', async () => {
    const dir = nowhere('borrower')
    git('.', ['clone', '-q', '--shared', clone(), dir])
    assert.ok((await weftJson<{ versions: number }>(['git', 'import', dir, nowhere()])).versions > 30)
  })

  it('replaced objects do not count', async () => {
    const dir = clone()
    git(dir, ['replace', 'HEAD', 'HEAD~3'])
    const to = nowhere()
    await weftJson(['git', 'import', dir, to, '--check'])
    const log = await weftJson<{ git: string }[]>(['log', '-C', to, '-n', '1'])
    assert.equal(log[0]?.git, git(dir, ['rev-parse', 'HEAD']).toString().trim())
  })

  it('a history with SHA-256 ids is taken in or refused with a code', async () => {
    const dir = nowhere('sha256')
    git('.', ['init', '-q', '--object-format=sha256', dir])
    writeFileSync(join(dir, 'file'), 'content\n')
    git(dir, ['add', '.'])
    git(dir, ['-c', 'user.name=A', '-c', 'user.email=a@example.org', 'commit', '-q', '-m', 'one'])
    const to = nowhere()
    const outcome = await weft(['git', 'import', dir, to, '--check'])
    if (outcome.status !== 0) await weftFails(['git', 'import', dir, to])
    else await expectWhole(to)
  })
})

describe('a repository that is no good', () => {
  let whole: string
  before(async () => {
    whole = nowhere('whole')
    await importBundle(SMALL, whole)
  })

  /** A copy to be spoilt. */
  const copy = (): string => {
    const dir = nowhere('copy')
    cpSync(whole, dir, { recursive: true })
    return dir
  }

  it('is not there', async () => {
    for (const args of [['log'], ['ls'], ['verify'], ['cat', 'README.md'], ['store', 'stat']]) {
      assert.deepEqual(await refusal(...args, '-C', temporary()), { code: 'REPO_NOT_FOUND', status: 1 }, args.join(' '))
    }
    assert.deepEqual(await refusal('log', '-C', nowhere()), { code: 'DIR_NOT_FOUND', status: 1 })
  })

  it('is held by another process', async () => {
    await using repo = await Repository.open(whole)
    assert.ok(repo.root)
    assert.deepEqual(await refusal('log', '-C', whole), { code: 'STORE_LOCKED', status: 1 })
  })

  it('may not be written to', async () => {
    const dir = copy()
    const home = temporary('home')
    const user = process.getuid?.() === 0 ? { uid: 65534 } : {}
    const all = readdirSync(dir, { recursive: true }).map((name) => join(dir, String(name)))
    for (const path of [...all, dir]) chmodSync(path, 0o555)
    const { code, status } = await weftFails(['log', '-C', dir], { env: { WEFT_HOME: home }, ...user })
    assert.deepEqual({ code, status }, { code: 'STORE_READONLY', status: 1 })
    for (const path of [...all, dir]) chmodSync(path, 0o755)
    await expectWhole(dir)
  })

  it('is of a newer format, or says none', async () => {
    const cases = [
      ['FORMAT_NEWER', '2', 1],
      ['FORMAT_NEWER', '12345', 1],
      ['FORMAT_BAD', 'x', 3],
      ['FORMAT_BAD', undefined, 3],
    ] as const
    for (const [code, value, status] of cases) {
      const dir = copy()
      {
        await using store = await openLevelStore(join(dir, '.weft', 'store'))
        const key = Buffer.from('mformat')
        assert.equal(String(await store.get(key)), '1')
        await store.batch([
          value === undefined ? { type: 'del', key } : { type: 'put', key, value: Buffer.from(value) },
        ])
      }
      assert.deepEqual(await refusal('log', '-C', dir), { code, status }, value)
      if (code === 'FORMAT_NEWER') {
        assert.deepEqual(await refusal('git', 'import', fixture('badmerge'), dir), { code, status }, value)
      }
    }
  })

  it('has lost files', async () => {
    const names = readdirSync(join(whole, '.weft', 'store')).filter((name) =>
      /^CURRENT$|^MANIFEST|ldb$|log$/.test(name),
    )
    for (const name of names) {
      const dir = copy()
      rmSync(join(dir, '.weft', 'store', name))
      const { status } = await refusal('verify', '-C', dir)
      assert.ok(status === 3 || (status === 1 && name === 'CURRENT'), `${name} is gone: status ${status}`)
    }
  })

  it('has files cut short', async () => {
    const store = join(whole, '.weft', 'store')
    for (const name of readdirSync(store).filter((file) => /^CURRENT$|^MANIFEST|ldb$/.test(file))) {
      const size = readFileSync(join(store, name)).length
      for (const length of [0, size >> 1]) {
        const dir = copy()
        truncateSync(join(dir, '.weft', 'store', name), length)
        const outcome = await weft(['verify', '-C', dir, '--json'])
        assert.equal(outcome.status, 3, `${name} cut to ${length}: ${outcome.stdout}${outcome.stderr}`)
      }
    }
  })

  it('is asked for what it does not have', async () => {
    const cases: [code: string, ...args: string[]][] = [
      ['V_UNKNOWN', 'log', '--at', 'nonsense'],
      ['V_UNKNOWN', 'show', '0000000000'],
      ['V_UNKNOWN', 'ls', '--at', 'ffffff:1'],
      ['PATH_UNKNOWN', 'cat', 'no/such/file'],
      ['PATH_UNKNOWN', 'blame', 'recipes'],
      ['CONTENT_UNKNOWN', 'cat', `sha256:${'0'.repeat(64)}`],
    ]
    for (const [code, ...args] of cases) {
      assert.deepEqual(await refusal(...args, '-C', whole), { code, status: 1 }, args.join(' '))
    }
  })

  it('is asked in a way nobody understands', async () => {
    for (const args of [
      ['nonsense'],
      ['log', '--nonsense'],
      ['cat'],
      ['restore'],
      ['log', '-n', 'many'],
      ['grep', '('],
    ]) {
      const { status } = await weftFails([...args, '-C', whole])
      assert.equal(status, 2, args.join(' '))
    }
  })
})

describe('a place that is no good', () => {
  let whole: string
  before(async () => {
    whole = nowhere('whole')
    await importBundle(SMALL, whole)
  })

  it('is not empty, or is a file', async () => {
    const full = temporary('full')
    writeFileSync(join(full, 'precious'), 'mine\n')
    const link = join(temporary(), 'link')
    symlinkSync(join(full, 'precious'), link)
    const cases = [
      ['DIR_NOT_EMPTY', full],
      ['DIR_IS_FILE', join(full, 'precious')],
      ['DIR_IS_FILE', link],
    ] as const
    for (const [code, to] of cases) {
      const refused = await refusal('restore', '-C', whole, '--at', 'main', '--to', to)
      assert.deepEqual(refused, { code, status: 1 }, to)
    }
    assert.deepEqual(readdirSync(full), ['precious'])
    assert.equal(readFileSync(join(full, 'precious'), 'utf8'), 'mine\n')
  })

  it('is a file where the repository should be made', async () => {
    const file = join(temporary(), 'file')
    writeFileSync(file, 'mine\n')
    assert.deepEqual(await refusal('git', 'import', SMALL, file), { code: 'DIR_IS_FILE', status: 1 })
    const { status } = await refusal('git', 'import', SMALL, join(file, 'below'))
    assert.equal(status, 1)
    assert.equal(readFileSync(file, 'utf8'), 'mine\n')
  })

  it('holds files that a checkout would overwrite', async () => {
    const dir = temporary('checkout')
    writeFileSync(join(dir, 'README.md'), 'mine\n')
    const { status } = await refusal('git', 'import', SMALL, dir, '--checkout')
    assert.equal(status, 1)
    assert.equal(readFileSync(join(dir, 'README.md'), 'utf8'), 'mine\n')
  })

  const disk = tinyDisk()
  it('is a disk that is full', { skip: disk.skip }, async () => {
    const dir = temporary('disk')
    for (const size of ['64k', '200k', '400k']) {
      await using mounted = disk.mount(dir, size)
      const repo = join(dir, 'repo')
      const { code, status } = await refusal('git', 'import', fixture('oddities'), repo)
      assert.match(code, /^(STORE_FULL|ENOSPC)$/, size)
      assert.equal(status, 1)
      mounted.grow('64m')
      await importBundle(fixture('oddities'), repo, '--check')
      await expectWhole(repo)
    }
  })

  it('is a disk that fills up while restoring', { skip: disk.skip }, async () => {
    const dir = temporary('disk')
    await using mounted = disk.mount(dir, '16k')
    const to = join(dir, 'to')
    const { status } = await refusal('restore', '-C', whole, '--at', 'main', '--to', to)
    assert.equal(status, 1)
    rmSync(to, { recursive: true, force: true })
    mounted.grow('16m')
    assert.equal((await weft(['restore', '-C', whole, '--at', 'main', '--to', to])).status, 0)
    await expectWhole(whole)
  })
})

/** Small file systems in memory; only root on Linux may make them. */
function tinyDisk() {
  const mount = (dir: string, ...flags: string[]) => execFileSync('mount', [...flags, dir], { stdio: 'ignore' })
  const probe = (): string | false => {
    if (process.platform !== 'linux' || process.getuid?.() !== 0) return 'only root on Linux can mount a small disk'
    try {
      const dir = temporary('probe')
      mount(dir, '-t', 'tmpfs', '-o', 'size=64k', 'tmpfs')
      execFileSync('umount', [dir])
      return false
    } catch {
      return 'mounting is not permitted here'
    }
  }
  return {
    skip: probe(),
    mount(dir: string, size: string) {
      mount(dir, '-t', 'tmpfs', '-o', `size=${size}`, 'tmpfs')
      return {
        grow: (to: string) => mount(dir, '-o', `remount,size=${to}`),
        async [Symbol.asyncDispose]() {
          execFileSync('umount', [dir])
        },
      }
    },
  }
}

describe('a key that is no good', () => {
  /** A home with a key in it, and the key's path. */
  async function homeWithKey(): Promise<{ env: { WEFT_HOME: string }; path: string }> {
    const env = { WEFT_HOME: temporary('home') }
    const { path } = await weftJson<{ path: string }>(['key'], { env })
    return { env, path }
  }

  it('may be read by everybody', async () => {
    const { env, path } = await homeWithKey()
    chmodSync(path, 0o644)
    for (const args of [['key'], ['git', 'import', SMALL, nowhere()]]) {
      const { code, status } = await weftFails(args, { env })
      assert.deepEqual({ code, status }, { code: 'KEY_UNSAFE', status: 1 })
    }
  })

  it('is cut short, empty, or something else', async () => {
    for (const text of ['', 'nonsense\n', undefined]) {
      const { env, path } = await homeWithKey()
      writeFileSync(path, text ?? readFileSync(path).subarray(0, 20))
      const { code, status } = await weftFails(['git', 'import', SMALL, nowhere()], { env })
      assert.deepEqual({ code, status }, { code: 'KEY_DAMAGED', status: 3 })
    }
  })

  it('is gone: what it signed still reads and verifies, and what comes next is signed by a new one', async () => {
    const { env, path } = await homeWithKey()
    const dir = nowhere()
    await weftJson(['git', 'import', fixture('badmerge'), dir], { env })
    rmSync(path)
    assert.equal((await weft(['verify', '-C', dir], { env })).status, 0)
    const report = await weftJson<{ versions: number }>(['git', 'import', SMALL, dir], { env })
    assert.ok(report.versions > 0)
    const signers = new Set<string>()
    for (const at of ['copy', 'main', 'scale']) {
      for (const { signer } of await weftJson<{ signer: string }[]>(['log', '-C', dir, '--at', at], { env }))
        signers.add(signer)
    }
    assert.equal(signers.size, 2)
    assert.equal((await weft(['verify', '-C', dir], { env })).status, 0)
  })

  it('cannot be made', async () => {
    const home = join(temporary(), 'file')
    writeFileSync(home, '')
    const { status } = await weftFails(['key'], { env: { WEFT_HOME: join(home, 'below') } })
    assert.equal(status, 1)
    assert.ok(!existsSync(join(home, 'below')))
  })
})
