/**
 * Differences and patches of a work tree, through the program: what git makes of them, and how they are shown.
 * @module
 */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import {
  appendFileSync,
  cpSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { before, describe, it } from 'node:test'
import { fromLatin1 } from '../src/base/bytes.js'
import {
  commit,
  diffWorktree,
  type FileDiff,
  initRepository,
  openIdentity,
  patchWorktree,
  Repository,
  undo,
  Worktree,
} from '../src/index.js'
import { git } from './support/git.js'
import { changedTree, randomTree, shown, type Tree, treeOn, writeTree } from './support/odd-trees.js'
import { random } from './support/random.js'
import { temporary } from './support/temp.js'
import { HOME, ROOT, type RunOptions, weft, weftFails, weftJson } from './support/weft.js'

const AUTHOR = { name: 'Ada', email: 'ada@example.org' }
const OPTIONS = { env: { WEFT_AUTHOR_NAME: AUTHOR.name, WEFT_AUTHOR_EMAIL: AUTHOR.email } }

/** A repository in a new directory. */
async function made(): Promise<string> {
  const dir = temporary('work')
  await openIdentity(HOME)
  await initRepository(dir, 'main', { home: HOME })
  return dir
}

async function inWork<T>(dir: string, act: (work: Worktree) => Promise<T>): Promise<T> {
  await using repo = await Repository.open(dir, { home: HOME })
  return await act(await Worktree.open(repo))
}

/** What a work tree holds, but for the repository. */
function treeIn(dir: string): Tree {
  return new Map([...treeOn(dir)].filter(([path]) => !path.startsWith('.weft/')))
}

function replaceTree(dir: string, from: Tree, to: Tree): void {
  for (const path of from.keys()) rmSync(Buffer.concat([Buffer.from(`${dir}/`), fromLatin1(path)]))
  writeTree(dir, to)
}

async function patchOf(diffs: AsyncIterable<FileDiff>): Promise<Buffer> {
  const parts: Uint8Array[] = []
  for await (const { patch, patchBase64 } of diffs) {
    parts.push(patch === undefined ? Buffer.from(patchBase64 ?? '', 'base64') : Buffer.from(patch))
  }
  return Buffer.concat(parts)
}

describe('the patch of a work tree', () => {
  const chance = random('work')

  it('is what a commit records, and is applied and taken back by git, patch and weft', async () => {
    const hasPatch = spawnSync('patch', ['--version']).status === 0
    const dir = await made()
    let old: Tree = new Map()
    for (let round = 0; round < 12; round++) {
      const now = round === 0 ? randomTree(chance) : changedTree(chance, old).after
      replaceTree(dir, old, now)
      const patch = await inWork(dir, (work) => patchOf(diffWorktree(work, undefined)))
      if (patch.length === 0) continue
      const [byGit, byPatch] = [temporary('git'), temporary('patch')]
      writeTree(byGit, old)
      writeTree(byPatch, old)
      git(byGit, ['apply', '--whitespace=nowarn', '-'], patch)
      assert.deepEqual(shown(treeOn(byGit)), shown(now), patch.toString('latin1'))
      if (hasPatch) {
        const { status, stdout } = spawnSync('patch', ['-p1', '-s', '--binary', '-d', byPatch], { input: patch })
        assert.equal(status, 0, `${stdout}\n${patch.toString('latin1')}`)
        assert.deepEqual(shown(treeOn(byPatch)), shown(now), patch.toString('latin1'))
      }
      await inWork(dir, async (work) => {
        await patchWorktree(work, patch, { reverse: true })
        assert.deepEqual(shown(treeIn(dir)), shown(old), patch.toString('latin1'))
        assert.equal((await patchOf(diffWorktree(work, undefined))).toString('latin1'), '')
        await patchWorktree(work, patch)
        assert.deepEqual(shown(treeIn(dir)), shown(now))
        assert.equal((await patchOf(diffWorktree(work, undefined))).toString('latin1'), patch.toString('latin1'))
        await undo(work)
        assert.deepEqual(shown(treeIn(dir)), shown(old))
        await undo(work)
        assert.deepEqual(shown(treeIn(dir)), shown(now))
        const { version, parents } = await commit(work, { message: `round ${round}`, author: AUTHOR })
        if (parents[0] === undefined) return
        assert.deepEqual(await patchOf(work.repo.diff(parents[0], version)), patch)
        assert.deepEqual(await patchOf(diffWorktree(work, parents[0])), patch)
      })
      old = now
    }
  })
})

describe('weft diff', () => {
  let dir: string
  before(async () => {
    dir = await made()
    const lines = Array.from({ length: 30 }, (_, i) => `line ${i}\n`).join('')
    writeFileSync(join(dir, 'text'), lines)
    writeFileSync(join(dir, 'old name'), lines)
    writeFileSync(join(dir, 'gone'), 'x\n')
    mkdirSync(join(dir, 'sub'))
    writeFileSync(join(dir, 'sub', 'deep'), 'x\n')
    writeFileSync(join(dir, '.weftignore'), '*.log\n')
    await inWork(dir, (work) => commit(work, { message: 'one', author: AUTHOR }))
    writeFileSync(join(dir, 'text'), lines.replace('line 10', 'line ten').replace('line 25\n', ''))
    renameSync(join(dir, 'old name'), join(dir, 'new name'))
    rmSync(join(dir, 'gone'))
    writeFileSync(join(dir, 'ignored.log'), 'x\n')
    writeFileSync(join(dir, 'picture'), '\0\x01\x02')
    symlinkSync('nowhere', join(dir, 'link'))
  })

  const run = async (...args: string[]): Promise<string> => {
    const { status, stdout, stderr } = await weft(['-C', dir, 'diff', ...args], OPTIONS)
    assert.equal(status, 0, stderr)
    return stdout.toString('latin1')
  }

  it('tells all that a commit would record, and nothing else', async () => {
    const diffs = await weftJson<FileDiff[]>(['-C', dir, 'diff', '--stat'], OPTIONS)
    assert.deepEqual(
      diffs.map(({ path, change, from, added, deleted, binary }) => [path, change, from, added, deleted, binary]),
      [
        ['gone', 'deleted', undefined, 0, 1, false],
        ['link', 'added', undefined, 1, 0, false],
        ['new name', 'renamed', 'old name', 0, 0, false],
        ['picture', 'added', undefined, 0, 0, true],
        ['text', 'modified', undefined, 1, 2, false],
      ],
    )
    assert.match(await run('picture'), /^Binary files \/dev\/null and b\/picture differ$/m)
  })

  it('counts lines with bars', async () => {
    const table = await run('--stat')
    assert.match(table, /^ old name => new name \| +0$/m)
    assert.match(table, /^ picture +\| Bin 0 -> 3 bytes$/m)
    assert.match(table, /^ text +\| +3 \+--$/m)
    assert.match(table, /^ 5 files changed, 2 insertions\(\+\), 3 deletions\(-\)$/m)
  })

  it('shows changes within lines', async () => {
    const shownWords = await run('--word', 'text')
    assert.match(shownWords, /\nline 9\nline \[-10-\]\{\+ten\+\}\nline 11\n/)
    assert.match(shownWords, /\n\[-line 25-\]\n/)
    const coloured = await weft(['-C', dir, 'diff', '--word', 'text'], {
      env: { ...OPTIONS.env, NO_COLOR: undefined, FORCE_COLOR: '1' },
    })
    assert.ok(coloured.stdout.includes('\nline \x1b[31m10\x1b[39m\x1b[32mten\x1b[39m\n'))
  })

  it('shows as many lines around a change as one likes', async () => {
    assert.match(
      await run('-U0', 'text'),
      /\n@@ -11,1 \+11,1 @@\n-line 10\n\+line ten\n@@ -26,1 \+25,0 @@\n-line 25\n$/,
    )
    assert.equal((await run('-U', '20', 'text')).match(/^@@ /gm)?.length, 1)
  })

  it('takes paths from where one is, and says of those that are not there', async () => {
    const sub = { ...OPTIONS, cwd: join(dir, 'sub') }
    const found = await weftJson<FileDiff[]>(['diff', '../text', 'deep'], sub)
    assert.deepEqual(
      found.map(({ path }) => path),
      ['text'],
    )
    assert.equal((await weftFails(['-C', dir, 'diff', 'nothing'], OPTIONS)).code, 'PATH_UNKNOWN')
    assert.equal((await weftFails(['-C', dir, 'diff', 'nothing', '--at', 'main'], OPTIONS)).code, 'PATH_UNKNOWN')
    assert.equal((await weftFails(['-C', dir, 'diff', '--at', 'main..main', 'nothing'], OPTIONS)).code, 'PATH_UNKNOWN')
    assert.equal((await weftFails(['-C', dir, 'diff', '--at', 'a...b'], OPTIONS)).code, 'USAGE')
  })

  it('compares with any version, and versions with each other', async () => {
    assert.equal(await run('--at', 'main'), await run())
    assert.equal(await run('--at', 'main..HEAD'), '')
    assert.equal(await run('--at', '..'), '')
  })

  it('is applied whole or not at all', async () => {
    const copy = join(temporary('copy'), 'copy')
    cpSync(dir, copy, { recursive: true, verbatimSymlinks: true })
    const patch = join(copy, 'ignored.log')
    writeFileSync(patch, await run('text', 'gone'), 'latin1')
    const apply = (...args: string[]): Promise<unknown> => weftJson(['-C', copy, 'apply', ...args, patch], OPTIONS)
    const text = readFileSync(join(copy, 'text'), 'utf8')
    appendFileSync(join(copy, 'text'), 'more\n')
    assert.deepEqual(await apply('-R', '--check'), {
      check: true,
      files: [
        { path: 'gone', change: 'added', mode: '100644' },
        { path: 'text', change: 'modified', mode: '100644' },
      ],
      moved: [],
      failures: [],
    })
    assert.equal(readFileSync(join(copy, 'text'), 'utf8'), `${text}more\n`)
    writeFileSync(join(copy, 'gone'), 'in the way\n')
    const { code, message } = await weftFails(['-C', copy, 'apply', '-R', patch], OPTIONS)
    assert.deepEqual([code, message.includes('gone')], ['PATCH_REJECTED', true])
    assert.equal(readFileSync(join(copy, 'text'), 'utf8'), `${text}more\n`)
    rmSync(join(copy, 'gone'))
    await apply('-R')
    assert.match(readFileSync(join(copy, 'text'), 'utf8'), /line 10\n.*line 25\n.*more\n$/s)
    assert.equal((await weftFails(['-C', copy, 'apply', 'nothing.patch'], OPTIONS)).code, 'INPUT_UNREADABLE')
  })

  it('is never applied through a link out of the tree', async () => {
    const outside = temporary('outside')
    writeFileSync(join(outside, 'victim'), 'a\n')
    const inside = await made()
    symlinkSync(outside, join(inside, 'way'))
    for (const name of ['way/victim', 'way/new', '../outside/victim']) {
      const birth = name === 'way/new'
      const hunk = birth ? '@@ -0,0 +1 @@\n+b\n' : '@@ -1 +1 @@\n-a\n+b\n'
      const patch = join(temporary(), 'patch')
      writeFileSync(patch, `--- ${birth ? '/dev/null' : `a/${name}`}\n+++ b/${name}\n${hunk}`)
      const { code } = await weftFails(['-C', inside, 'apply', patch], OPTIONS)
      assert.ok(['PATCH_REJECTED', 'PATH_BLOCKED', 'PATH_UNSAFE'].includes(code), code)
    }
    assert.deepEqual(shown(treeOn(outside)), [['victim', '100644', 'a\n']])
  })
})

describe('weft commit --patch', () => {
  it('commits the chosen hunks and leaves the others', async () => {
    const dir = await made()
    const lines = Array.from({ length: 20 }, (_, i) => `${i}\n`)
    writeFileSync(join(dir, 'f'), lines.join(''))
    writeFileSync(join(dir, 'g'), 'x\n')
    await inWork(dir, (work) => commit(work, { message: 'one', author: AUTHOR }))
    writeFileSync(join(dir, 'f'), lines.with(1, 'one\n').with(15, 'fifteen\n').join(''))
    rmSync(join(dir, 'g'))
    writeFileSync(join(dir, 'n'), 'new\n')
    const out = await answered(['commit', '-m', 'two', '--patch'], 'n\ny\nn\ny\n', { ...OPTIONS, cwd: dir })
    assert.match(out, /\(2\/2\) Commit this change \[y,n,q,a,d,\?\]\? \n/)
    await inWork(dir, async (work) => {
      assert.equal(Buffer.from(await work.repo.read('f')).toString(), lines.with(15, 'fifteen\n').join(''))
      const left: FileDiff[] = []
      for await (const diff of diffWorktree(work, undefined)) left.push(diff)
      assert.deepEqual(
        left.map(({ path, change, added }) => [path, change, added]),
        [
          ['f', 'modified', 1],
          ['g', 'deleted', 0],
        ],
      )
    })
    assert.match(await answered(['commit', '-m', 'x', '-p'], 'q\n', { ...OPTIONS, cwd: dir }, 1), /None of the changes/)
  })

  /** Runs weft with answers on stdin; returns all that it said. */
  async function answered(args: string[], answers: string, options: RunOptions, status = 0): Promise<string> {
    const said = spawnSync(process.execPath, [join(ROOT, 'bin', 'run.js'), ...args], {
      cwd: options.cwd,
      env: { ...process.env, WEFT_HOME: HOME, NO_COLOR: '1', ...options.env },
      input: answers,
    })
    assert.equal(said.status, status, `${said.stdout}${said.stderr}`)
    return `${said.stdout}${said.stderr}`
  }
})
