/**
 * Bad luck in a work tree: files that change under one's hands, that cannot be read, that are no files; disks that are full
 * or read-only; state of weft's own that is damaged. Each gets a plain answer, nothing is lost and nothing is half done.
 * @module
 */
import assert from 'node:assert/strict'
import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import {
  chmodSync,
  chownSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { Repository } from '../src/repo/repository.js'
import { commit } from '../src/worktree/commit.js'
import { initRepository } from '../src/worktree/init.js'
import { workStatus } from '../src/worktree/status.js'
import { switchTo } from '../src/worktree/switch.js'
import { redo, undo } from '../src/worktree/undo.js'
import { filesBelow } from './support/disk.js'
import { quick } from './support/temp.js'
import { HOME, ROOT, weft, weftFails, weftJson } from './support/weft.js'
import { AUTHOR, committing, copyOf, edit, makeWorkRepo, see, switching, withWork } from './support/work-repo.js'

const ENV = { WEFT_AUTHOR_NAME: 'Test', WEFT_AUTHOR_EMAIL: 'test@example.org' }
const isRoot = process.getuid?.() === 0

async function newRepo(files: Readonly<Record<string, string>>): Promise<string> {
  const root = quick('luck')
  await initRepository(root, 'main', { home: HOME })
  edit(root, files)
  await withWork(root, committing('one'))
  return root
}

/** Files of the work tree, without what is weft's own. */
function filesOf(root: string): Map<string, string> {
  const all = [...filesBelow(root)].filter(([path]) => !path.startsWith('.weft/'))
  return new Map(all.map(([path, { mode, data }]) => [path, `${mode} ${data.toString('latin1')}`]))
}

async function changesIn(root: string): Promise<string[]> {
  return (await workStatus(root)).changes.map(({ path, change }) => `${change} ${path}`)
}

async function expectSound(root: string): Promise<void> {
  await withWork(root, async ({ repo }) => assert.deepEqual((await repo.verify()).damage, []))
}

describe('files that change', () => {
  it('twice within a tick, to the same size, are always noticed', async () => {
    const root = await newRepo({ f: 'aaaa', g: 'same' })
    for (let i = 0; i < 150; i++) {
      const [before, after] = [String(i).padStart(4, 'b'), String(i).padStart(4, 'c')]
      edit(root, { f: before })
      await withWork(root, committing(`v${i}`))
      edit(root, { f: after })
      assert.deepEqual(await changesIn(root), ['modified f'], `round ${i}`)
      if (i % 3 === 0) await withWork(root, async (work) => assert.equal(work.scan().changes.length, 1, `round ${i}`))
    }
    assert.equal(readFileSync(join(root, 'f'), 'utf8'), '0149'.replace('0', 'c'))
  })

  it('right after a switch wrote them are noticed', async () => {
    const root = await newRepo({ f: 'main' })
    await withWork(root, (work) => switchTo(work, { create: 'dev' }))
    edit(root, { f: 'dev.' })
    await withWork(root, committing('two'))
    for (let i = 0; i < 60; i++) {
      await withWork(root, async (work) => {
        await switchTo(work, { to: i % 2 === 0 ? 'main' : 'dev' })
        edit(root, { f: 'mine' })
      })
      assert.deepEqual(await changesIn(root), ['modified f'], `round ${i}`)
      edit(root, { f: i % 2 === 0 ? 'main' : 'dev.' })
    }
  })

  it('while they are committed', async () => {
    const root = await newRepo({ f: 'x'.repeat(50_000) })
    const script = `const fs=require('fs');for(let i=0;;i++){fs.writeFileSync(${JSON.stringify(join(root, 'f'))},String(i%10).repeat(50000));if(i===0)console.log('go')}`
    const writer = spawn(process.execPath, ['-e', script], { stdio: ['ignore', 'pipe', 'inherit'] })
    await once(writer.stdout, 'data')
    let made = 0
    for (let i = 0; i < 25; i++) {
      try {
        await withWork(root, committing(`v${i}`))
        made++
      } catch (error) {
        const { code } = error as { code?: string }
        assert.ok(code === 'FILE_CHANGING' || code === 'NOTHING_TO_COMMIT', String(error))
      }
    }
    await end(writer)
    const content = readFileSync(join(root, 'f'))
    await withWork(root, async ({ repo }) => {
      const isSame = content.equals(Buffer.from(await repo.read('f')))
      assert.deepEqual(await changesIn(root), isSame ? [] : ['modified f'], `${made} commits`)
    })
    await expectSound(root)
  })
})

async function end(child: ChildProcess): Promise<void> {
  const closed = once(child, 'close')
  child.kill('SIGKILL')
  await closed
}

describe('links', () => {
  it('that take the place of a directory are never read or written through', async () => {
    const root = await makeWorkRepo()
    const outside = quick('outside')
    edit(outside, { 'c.txt': 'c\n', 'd.txt': 'of somebody else\n', 'e.txt': 'e\n' })
    const was = filesOf(outside)
    rmSync(join(root, 'dir/sub'), { recursive: true })
    symlinkSync(outside, join(root, 'dir/sub'))
    assert.deepEqual((await changesIn(root)).filter((line) => line.includes('dir/sub')), [
      'added dir/sub', 'deleted dir/sub/c.txt', 'deleted dir/sub/d.txt',
    ]) // biome-ignore format: a list
    await assert.rejects(withWork(root, switching('dev')), { code: 'WOULD_LOSE' })
    for (const act of [switching('dev', true), committing('a link')]) {
      const copy = copyOf(root)
      await withWork(copy, act)
      await withWork(copy, (work) => undo(work, 1, true))
      await withWork(copy, (work) => redo(work, 1, true)).catch((error: unknown) => assert.ok(isCoded(error)))
      assert.deepEqual(filesOf(outside), was)
    }
    // Undo of a switch that put files where the link leads now.
    const copy = copyOf(root)
    await withWork(copy, switching('dev', true))
    rmSync(join(copy, 'new/deep'), { recursive: true })
    symlinkSync(outside, join(copy, 'new/deep'))
    await withWork(copy, (work) => undo(work, 1, true))
    assert.deepEqual(filesOf(outside), was)
    await withWork(copy, (work) => redo(work, 1, true)).catch((error: unknown) => assert.ok(isCoded(error)))
    assert.deepEqual(filesOf(outside), was)
  })

  it('that lead out of the tree are links, and nothing else', async () => {
    const root = await newRepo({ f: '1' })
    symlinkSync('/etc/passwd', join(root, 'out'))
    await withWork(root, committing('a link'))
    await withWork(root, async ({ repo }) =>
      assert.equal(Buffer.from(await repo.read('out')).toString(), '/etc/passwd'),
    )
    await withWork(root, (work) => undo(work))
    assert.equal(lstatSync(join(root, 'out')).isSymbolicLink(), true)
  })
})

function isCoded(error: unknown): boolean {
  return error instanceof Error && error.name === 'CodedError'
}

describe('what is no file', () => {
  it('pipes and sockets are named, left out, and never replaced', async () => {
    const root = await makeWorkRepo()
    mkdirSync(join(root, 'new/deep'), { recursive: true })
    execFileSync('mkfifo', [join(root, 'new/deep/e.txt'), join(root, 'pipe')])
    const server = createServer().listen(join(root, 'socket'))
    await once(server, 'listening')
    const { warnings } = await withWork(root, (work) => commit(work, { message: 'x', author: AUTHOR }))
    assert.equal(warnings.length, 3)
    await assert.rejects(withWork(root, switching('dev', true)), { code: 'PATH_BLOCKED' })
    assert.equal(lstatSync(join(root, 'new/deep/e.txt')).isFIFO(), true)
    assert.deepEqual(await changesIn(root), [])
    server.close()
  })

  it('a tracked file that became a pipe is deleted, and the pipe stays', async () => {
    const root = await newRepo({ f: '1', g: '2' })
    rmSync(join(root, 'f'))
    execFileSync('mkfifo', [join(root, 'f')])
    await withWork(root, committing('gone'))
    await assert.rejects(
      withWork(root, switching('main~1')).finally(() => assert.ok(lstatSync(join(root, 'f')).isFIFO())),
    )
  })

  it('a file that replaces a directory, and the other way round', async () => {
    const root = await newRepo({ 'dir/sub/a': 'a', 'dir/b': 'b', file: 'f' })
    edit(root, { 'dir/sub': undefined, file: undefined })
    edit(root, { 'dir/sub': 'now a file', 'file/below': 'now a directory' })
    assert.deepEqual((await changesIn(root)).toSorted(), [
      'added dir/sub', 'added file/below', 'deleted dir/sub/a', 'deleted file',
    ]) // biome-ignore format: a list
    await withWork(root, committing('two'))
    assert.deepEqual(await changesIn(root), [])
  })

  it('a directory with untracked files, where a file must go', async () => {
    const root = await makeWorkRepo()
    edit(root, { '.weft/exclude': '*.o\n', 'dir/sub/build.o': 'ignored' })
    const was = filesOf(root)
    await assert.rejects(withWork(root, switching('dev', true)), { code: 'PATH_BLOCKED' })
    assert.deepEqual(filesOf(root), was)
  })
})

describe('names', () => {
  it('with newlines, quotes and bytes that are no text', async () => {
    const root = await newRepo({ f: '1' })
    const names = ['a\nb', 'quote"s', "it's", 'tab\there', ' lead', 'trail ', 'back\\slash', '-rf', 'ünï']
    edit(root, Object.fromEntries(names.map((name) => [name, `${name}\n`])))
    writeFileSync(Buffer.concat([Buffer.from(`${root}/`), Buffer.from([0x66, 0xff, 0xfe])]), 'no text')
    const was = filesOf(root)
    assert.equal((await changesIn(root)).length, names.length + 1)
    await withWork(root, (work) => switchTo(work, { create: 'dev' }))
    await withWork(root, committing('odd'))
    assert.deepEqual(await changesIn(root), [])
    await withWork(root, switching('main'))
    assert.deepEqual([...filesOf(root).keys()], ['f'])
    await withWork(root, (work) => undo(work))
    assert.deepEqual(filesOf(root), was)
  })

  it('that the file system takes for one are refused before anything is written', async () => {
    const root = await newRepo({ README: '1' })
    await withWork(root, (work) => switchTo(work, { create: 'dev' }))
    edit(root, { Makefile: 'a', makefile: 'b' })
    await withWork(root, committing('two'))
    await withWork(root, switching('main'))
    // What tells such a file system: `.weft` is found under another name.
    mkdirSync(join(root, '.WEFT'))
    await assert.rejects(withWork(root, switching('dev')), { code: 'PATH_COLLISION' })
    assert.deepEqual([...filesOf(root).keys()], ['README'])
  })
})

describe('permissions', { skip: isRoot ? false : 'only root may become somebody else' }, () => {
  const NOBODY = 65534

  async function ofNobody(): Promise<string> {
    const root = await makeWorkRepo()
    execFileSync('chown', ['-R', `${NOBODY}:${NOBODY}`, root])
    return root
  }
  const home = quick('home-of-nobody')
  const as = { uid: NOBODY, env: { ...ENV, WEFT_HOME: home, XDG_CACHE_HOME: home } }
  if (isRoot) chownSync(home, NOBODY, NOBODY)

  it('a file that cannot be read', async () => {
    const root = await ofNobody()
    chmodSync(join(root, 'same.txt'), 0)
    const { code } = await weftFails(['commit', '-C', root, '-m', 'x'], as)
    assert.equal(code, 'FILE_UNREADABLE')
    await weftFails(['switch', '-C', root, 'dev', '--discard'], as).catch(() => undefined)
    assert.equal((await weft(['status', '-C', root], as)).status, 0)
    await weftJson(['commit', '-C', root, '-m', 'x', 'untracked.txt'], as)
  })

  it('a work tree that cannot be written to', async () => {
    const root = await ofNobody()
    chmodSync(join(root, 'dir'), 0o555)
    const was = filesOf(root)
    const { code } = await weftFails(['switch', '-C', root, 'dev'], as)
    assert.equal(code, 'DISK_DENIED')
    assert.deepEqual(filesOf(root), was)
    await weftJson(['commit', '-C', root, '-m', 'x'], as)
  })

  it('a repository that cannot be written to', async () => {
    const root = await ofNobody()
    execFileSync('chown', ['-R', '0:0', join(root, '.weft')])
    execFileSync('chmod', ['-R', 'go-w', join(root, '.weft')])
    assert.equal((await weft(['status', '-C', root], as)).status, 0)
    for (const args of [['commit', '-m', 'x'], ['switch', 'dev'], ['undo']]) {
      const { code } = await weftFails([...args, '-C', root], as)
      assert.match(code, /^(STORE|DISK)_/)
    }
    assert.equal(readFileSync(join(root, 'same.txt'), 'utf8'), 'same, but not saved\n')
  })
})

describe('a disk that is full', { skip: isRoot ? false : 'only root may mount one' }, () => {
  it('leaves everything as it was, or to be finished', async () => {
    const disk = quick('disk')
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=6m', 'tmpfs', disk])
    try {
      const root = join(disk, 'repo')
      execFileSync('cp', ['-a', await makeWorkRepo(), root])
      await withWork(root, (work) => switchTo(work, { create: 'big' }))
      edit(root, { 'big.dat': Buffer.from(Array.from({ length: 600_000 }, (_, i) => (i * 7919) >> 5)) })
      await withWork(root, committing('big'))
      await withWork(root, switching('main'))
      edit(root, { 'fresh.txt': 'not saved\n' })
      const was = await withWork(root, see)
      for (let spare = 0; spare < 1_500_000; spare += 150_000) {
        fill(join(disk, 'ballast'), spare)
        for (const args of [
          ['switch', 'big'],
          ['commit', '-m', 'x', '-C', '.'],
          ['switch', 'dev'],
        ]) {
          const outcome = await weft([...args, '--json'], { cwd: root, env: ENV })
          if (outcome.status === 0) await weft(['undo', '--json'], { cwd: root, env: ENV })
          else
            assert.match(
              outcome.stdout.toString(),
              /"code": ?"(DISK_FULL|STORE_FULL|STORE_IO|ENOSPC|OPERATION_PENDING)"/,
            )
        }
        rmSync(join(disk, 'ballast'))
        await expectSound(root)
        const now = await withWork(root, see)
        // What was reported as failed may have been finished, and is one step to undo then.
        if (JSON.stringify(now.files) !== JSON.stringify(was.files)) await withWork(root, (work) => undo(work, 1, true))
        assert.deepEqual((await withWork(root, see)).files, was.files, `${spare} bytes to spare`)
      }
    } finally {
      execFileSync('umount', ['-l', disk])
    }
  })

  /** Takes all room but so many bytes. */
  function fill(path: string, spare: number): void {
    try {
      execFileSync('dd', ['if=/dev/zero', `of=${path}`, 'bs=64k'], { stdio: 'ignore' })
    } catch {
      // The disk is full: that was the point.
    }
    truncateSync(path, Math.max(0, lstatSync(path).size - spare))
  }
})

describe('damage to what is weft’s own', () => {
  const damages: readonly [what: string, damage: (root: string) => void, code: string | undefined][] = [
    ['the index', (root) => flip(join(root, '.weft/index')), undefined],
    ['no index', (root) => rmSync(join(root, '.weft/index')), undefined],
    ['the state', (root) => writeFileSync(join(root, '.weft/state.json'), '{"merge":'), 'STATE_DAMAGED'],
    ['the head', (root) => writeFileSync(join(root, '.weft/head'), 'branch ma'), 'HEAD_DAMAGED'],
    ['an empty head', (root) => writeFileSync(join(root, '.weft/head'), ''), 'HEAD_DAMAGED'],
    ['no head', (root) => rmSync(join(root, '.weft/head')), 'WORKTREE_ABSENT'],
    ['the last operation', (root) => writeFileSync(lastOperation(root), '{'), 'OPERATION_DAMAGED'],
    ['the journal', (root) => writeFileSync(join(root, '.weft/operations/pending'), '{'), 'OPERATION_DAMAGED'],
    [
      'leftovers',
      (root) => edit(root, { '.weft/tmp/1': 'x', '.weft/index.lock': '', '.weft/head.1.new': '' }),
      undefined,
    ],
  ]
  for (const [what, damage, code] of damages) {
    it(what, async () => {
      const root = await makeWorkRepo()
      const was = filesOf(root)
      damage(root)
      const act = withWork(root, committing('x'))
      if (code === undefined) await act
      else await assert.rejects(act, { code })
      assert.deepEqual(filesOf(root), was)
      await (await Repository.open(root))[Symbol.asyncDispose]()
    })
  }

  it('a head that is gone is set again by switch, and nothing is lost', async () => {
    const root = await makeWorkRepo()
    const was = filesOf(root)
    rmSync(join(root, '.weft/head'))
    await assert.rejects(withWork(root, switching('main')), { code: 'WOULD_LOSE' })
    edit(root, { 'same.txt': 'same\n' })
    await withWork(root, switching('main'))
    edit(root, { 'same.txt': 'same, but not saved\n' })
    assert.deepEqual(filesOf(root), was)
    assert.deepEqual(await changesIn(root), ['modified same.txt', 'added untracked.txt'])
  })

  it('a content that was kept', async () => {
    const root = await makeWorkRepo()
    edit(root, { 'a.txt': 'unsaved\n' })
    await withWork(root, switching('dev', true))
    for (const path of filesBelow(join(root, '.weft/kept')).keys()) flip(join(root, '.weft/kept', path))
    const was = filesOf(root)
    await assert.rejects(
      withWork(root, (work) => undo(work)),
      { code: 'CONTENT_DAMAGED' },
    )
    assert.deepEqual(filesOf(root), was)
    // The same content is kept again, and this time it can be had.
    edit(root, { 'a.txt': 'unsaved\n' })
    await withWork(root, switching('main', true))
    await withWork(root, (work) => undo(work))
    assert.equal(readFileSync(join(root, 'a.txt'), 'utf8'), 'unsaved\n')
  })

  function flip(path: string): void {
    const bytes = readFileSync(path)
    bytes[bytes.length >> 1] = (bytes[bytes.length >> 1] as number) ^ 0x55
    writeFileSync(path, bytes)
  }

  function lastOperation(root: string): string {
    const names = readdirSync(join(root, '.weft/operations')).sort()
    return join(root, '.weft/operations', names.at(-1) as string)
  }
})

describe('commands', () => {
  it('in an empty repository answer plainly', async () => {
    const root = join(quick('empty'), 'repo')
    await weftJson(['init', root], { env: ENV })
    for (const args of [
      ['log'],
      ['status'],
      ['ls'],
      ['diff'],
      ['op', 'log'],
      ['verify'],
      ['undo'],
      ['redo'],
      ['commit', '-m', 'x'],
      ['blame', 'f'],
      ['cat', 'f'],
      ['show'],
      ['grep', 'x'],
      ['switch', 'main'],
      ['switch', 'nowhere'],
      ['switch', '-c', 'dev'],
      ['merge', 'main'],
      ['branch'],
      ['tag'],
      ['shelve'],
      ['unshelve'],
      ['restore', 'f'],
      ['resolve'],
      ['archive', '--to', '/dev/null'],
      ['git', 'export', join(root, '../out')],
    ]) {
      // biome-ignore format: a list
      const outcome = await weft([...args, '-C', root, '--json'], { env: ENV })
      const said = `${args.join(' ')}: ${outcome.status} ${outcome.stderr} ${outcome.stdout}`
      assert.ok([0, 1, 2].includes(outcome.status ?? -1), said)
      assert.doesNotMatch(said, /"BUG"|\n\s+at /)
    }
  })

  it('wait for another one, and say so', async () => {
    const root = await makeWorkRepo()
    const repo = await Repository.open(root)
    const running = weft(['commit', '-C', root, '-m', 'x'], { env: ENV })
    setTimeout(() => void repo[Symbol.asyncDispose](), 1200)
    const { status, stderr } = await running
    assert.match(stderr, /Waiting for another weft command/)
    assert.equal(status, 0)
  })

  it('status finishes what died', async () => {
    const root = await makeWorkRepo()
    await withWork(root, switching('dev'))
    const calm = await withWork(root, see)
    // As if the switch had died right before its end.
    const names = readdirSync(join(root, '.weft/operations')).sort()
    renameSync(join(root, '.weft/operations', names.at(-1) as string), join(root, '.weft/operations/pending'))
    const { status, stderr } = await weft(['status', '-C', root], { env: ENV })
    assert.equal(status, 0)
    assert.match(stderr, /^Finished what had been interrupted: switch/)
    assert.ok(!existsSync(join(root, '.weft/operations/pending')))
    assert.deepEqual(await withWork(root, see), calm)
  })

  it('on a version by itself', async () => {
    const root = await makeWorkRepo()
    const { version } = await withWork(root, async ({ head }) => head)
    edit(root, { 'same.txt': 'same\n' })
    await withWork(root, switching(version as string))
    edit(root, { 'a.txt': 'detached\n' })
    await withWork(root, committing('detached'))
    const { branch } = await workStatus(root)
    assert.equal(branch, undefined)
    await withWork(root, (work) => undo(work, 2))
    assert.equal((await workStatus(root)).branch, 'main')
  })

  it('commit of nothing', async () => {
    const root = await newRepo({ f: '1' })
    await assert.rejects(withWork(root, committing('x')), { code: 'NOTHING_TO_COMMIT' })
    const at = (paths: string[]) => withWork(root, (work) => commit(work, { message: 'x', author: AUTHOR, paths }))
    await assert.rejects(at(['nothing']), { code: 'PATH_UNKNOWN' })
    edit(root, { f: '2', 'd/g': '3' })
    await assert.rejects(at(['f', 'nothing']), { code: 'PATH_UNKNOWN' })
    await at(['f', 'd'])
    rmSync(join(root, 'd'), { recursive: true })
    await at(['d'])
  })

  it('in a directory that is gone', async () => {
    const root = await makeWorkRepo()
    const script = `mkdir d && cd d && rmdir ../d && exec "$0" "$1" status --json`
    const child = spawn('sh', ['-c', script, process.execPath, join(ROOT, 'bin/run.js')], {
      cwd: root,
      env: { ...process.env, WEFT_HOME: HOME },
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    let said = ''
    child.stdout.on('data', (part: Buffer) => (said += part))
    child.stderr.on('data', (part: Buffer) => (said += part))
    const [status] = (await once(child, 'close')) as [number]
    assert.match(said, /DIR_NOT_FOUND/)
    assert.equal(status, 1, said)
  })

  it('a file that is larger than a content can be', async () => {
    const root = await newRepo({ f: '1' })
    writeFileSync(join(root, 'huge'), '')
    truncateSync(join(root, 'huge'), 2 ** 31)
    await assert.rejects(withWork(root, committing('x')), { code: 'FILE_TOO_LARGE' })
    await withWork(root, (work) => switchTo(work, { create: 'dev' }))
  })
})
