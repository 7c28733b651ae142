/**
 * `weft status`: the report, its words, and the command.
 * @module
 */
import assert from 'node:assert/strict'
import {
  appendFileSync,
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  renameSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { formatStatus } from '../src/cli/format-status.js'
import { makeStyle, PLAIN } from '../src/cli/style.js'
import { encodeConflicts } from '../src/history/conflict.js'
import { unformatPath } from '../src/repo/path-text.js'
import { WorkIndex } from '../src/worktree/index-file.js'
import { findRenames } from '../src/worktree/renames.js'
import { scanWorkTree } from '../src/worktree/scan.js'
import { type StatusReport, workStatus } from '../src/worktree/status.js'
import { temporary } from './support/temp.js'
import { weft, weftFails, weftJson } from './support/weft.js'
import { at, emptyWorkTree, indexOf } from './support/work-tree.js'

const ID = new Uint8Array(32).fill(0xab)
const HEX = 'ab'.repeat(32)

/** A work tree on the branch `main`, at a version that has what stands in it. */
function standing(files: Readonly<Record<string, string>>): string {
  const root = emptyWorkTree('status')
  for (const [path, text] of Object.entries(files)) put(root, path, text)
  writeFileSync(join(root, '.weft/head'), `branch main\nversion ${HEX}\n`)
  indexOf(root).with({ seq: 1, stream: 1, id: ID }, new Map()).write(root)
  return root
}

function put(root: string, path: string, text: string): void {
  mkdirSync(join(root, path, '..'), { recursive: true })
  writeFileSync(join(root, path), text)
}

function lines(report: StatusReport): string[] {
  return report.changes.map(({ path, change, from }) => `${change} ${from === undefined ? '' : `${from} -> `}${path}`)
}

describe('a status', () => {
  it('says where the work tree stands and what has changed', async () => {
    const root = standing({ a: '1', 'b/c': '2', gone: '3', run: '4', 'caf\u00e9': '5', old: 'the very same\n' })
    assert.equal((await workStatus(root)).clean, true)
    put(root, 'a', 'changed')
    rmSync(join(root, 'gone'))
    chmodSync(join(root, 'run'), 0o755)
    rmSync(join(root, 'b/c'))
    symlinkSync('a', join(root, 'b/c'))
    renameSync(join(root, 'old'), join(root, 'b/new name'))
    put(root, 'dir/deep/x', '')
    put(root, 'dir/y', '')
    const report = await workStatus(root)
    assert.deepEqual(lines(report), [
      'modified a',
      'type b/c',
      'renamed old -> b/new name',
      'added dir/deep/x',
      'added dir/y',
      'deleted gone',
      'mode run',
    ])
    const { branch, version, clean, newDirectories, conflicts, interrupted } = report
    assert.deepEqual(
      { branch, version, clean, interrupted, newDirectories, conflicts },
      {
        branch: 'main',
        version: HEX,
        clean: false,
        interrupted: false,
        newDirectories: ['dir/'],
        conflicts: [],
      },
    )
    assert.equal(
      formatStatus(report, PLAIN),
      `On branch main, at version abababababab

Changed:
  modified  a
  type      b/c
  renamed   old -> b/new name
  deleted   gone
  mode      run

New:
  dir/  (2 files)

7 changes: \`weft diff\` shows them, \`weft commit -m <text>\` makes a version of them.
`,
    )
    assert.match(formatStatus(report, PLAIN, { most: 3 }), / {2}\.\.\. and 3 more\n\nNew/)
    assert.deepEqual(lines(await workStatus(root, { paths: ['dir/deep', './a'] })), ['modified a', 'added dir/deep/x'])
    await assert.rejects(workStatus(root, { paths: ['nowhere'] }), { code: 'PATH_UNKNOWN' })
    assert.deepEqual(lines(await workStatus(root, { paths: ['gone'] })), ['deleted gone'])
  })

  it('knows announced moves, and what a merge could not decide', async () => {
    const root = standing({ a: 'a', b: 'b' })
    const conflicts = encodeConflicts([{ kind: 'content', path: 'b', regions: [] }])
    const state = {
      merge: { parents: [HEX], names: ['topic'], message: '' },
      conflicts: { data: Buffer.from(conflicts).toString('hex'), texts: {}, left: HEX, right: HEX },
      moves: { c: 'a', d: 'b' },
    }
    writeFileSync(join(root, '.weft/state.json'), JSON.stringify(state))
    renameSync(join(root, 'a'), join(root, 'c'))
    put(root, 'c', 'another text altogether')
    const report = await workStatus(root)
    assert.deepEqual(lines(report), ['renamed a -> c'])
    assert.deepEqual(report.conflicts, [{ path: 'b', kind: 'content' }])
    assert.match(
      formatStatus(report, PLAIN),
      /^On .*\nMerging topic\.\n\nConflicts:\n {2}b {2}\(content\)\n\n(.|\n)*\n1 conflict: /,
    )
  })

  it('of what it cannot know says what to do', async () => {
    const root = standing({ a: '1' })
    writeFileSync(join(root, '.weft/head'), `branch main\nversion ${'cd'.repeat(32)}\n`)
    await assert.rejects(workStatus(root), { code: 'INDEX_MISSING' })
    appendFileSync(join(root, '.weft/index'), 'x')
    await assert.rejects(workStatus(root), { code: 'INDEX_DAMAGED' })
    rmSync(join(root, '.weft/index'))
    await assert.rejects(workStatus(root), { code: 'INDEX_MISSING' })
    writeFileSync(join(root, '.weft/head'), 'branch main\n')
    await assert.rejects(workStatus(root), { code: 'WORKTREE_ABSENT' })
  })

  it('remembers stats where many files had to be read', async () => {
    const root = standing({ a: '1', b: '2' })
    const known = (): boolean[] =>
      [...(WorkIndex.read(root) as WorkIndex).all()].map(({ stat }) => stat?.mtime === 1_000_000)
    for (const name of ['a', 'b']) utimesSync(join(root, name), 1000, 1000)
    assert.deepEqual(known(), [false, false])
    // Times of changes cannot be set, so what is too young has to get older.
    for (let i = 0; i < 100 && known().includes(false); i++) {
      await new Promise((resolve) => setTimeout(resolve, 20))
      assert.equal((await workStatus(root)).clean, true)
    }
    assert.deepEqual(known(), [true, true])
    assert.equal(existsSync(join(root, '.weft/index.lock')), false)
  })
})

describe('renames', () => {
  const text = (from: number, to: number): string =>
    Array.from({ length: to - from }, (_, i) => `line number ${from + i}\n`).join('')

  async function renamesIn(before: Record<string, string>, after: Record<string, string>): Promise<string[]> {
    const root = standing(before)
    const index = WorkIndex.read(root) as WorkIndex
    for (const path of Object.keys(before)) rmSync(join(root, path))
    for (const [path, content] of Object.entries(after)) put(root, path, content)
    const renames = await findRenames(scanWorkTree(root, index), new Map(), async ({ path }) =>
      Buffer.from(before[path] ?? ''),
    )
    return renames.map(({ from, to, likeness }) => `${from.path} -> ${to} ${Math.round(likeness * 100)}`)
  }

  const cases: [name: string, before: Record<string, string>, after: Record<string, string>, found: string[]][] = [
    ['the same content', { a: text(0, 9) }, { b: text(0, 9) }, ['a -> b 100']],
    ['half of it', { a: text(10, 20) }, { b: text(15, 25) }, ['a -> b 50']],
    ['less than half', { a: text(10, 20) }, { b: text(16, 26) }, []],
    ['lines in another order', { a: text(0, 9) }, { b: text(5, 9) + text(0, 5) }, ['a -> b 100']],
    [
      'the same before what is alike',
      { a: text(10, 20), b: text(10, 21) },
      { c: text(10, 21), d: text(10, 22) },
      ['b -> c 100', 'a -> d 83'],
    ],
    [
      'of equal ones the same name',
      { 'x/a': text(0, 9), 'x/b': text(0, 9) },
      { 'y/b': text(0, 9), 'y/a': text(0, 9) },
      ['x/a -> y/a 100', 'x/b -> y/b 100'],
    ],
    ['empty files by their name only', { 'x/a': '', 'x/b': '' }, { 'y/a': '', c: '' }, ['x/a -> y/a 100']],
    ['a line is counted once for each time it is there', { a: 'x\n'.repeat(9) }, { b: `x\n${'y\n'.repeat(8)}` }, []],
    ['bytes that are no text', { a: '\0'.repeat(999) }, { b: `${'\0'.repeat(999)}1` }, ['a -> b 96']],
  ]
  for (const [name, before, after, found] of cases) {
    it(`are found: ${name}`, async () => assert.deepEqual(await renamesIn(before, after), found))
  }
})

describe('weft status', () => {
  it('in a new repository, in a folder of it, and where there is none', async () => {
    const dir = temporary('work')
    await weft(['init', dir])
    assert.match(
      (await weft(['status'], { cwd: dir })).stdout.toString(),
      /^On branch main, which has no version yet\.\nNoth/,
    )
    mkdirSync(join(dir, 'sub'))
    writeFileSync(join(dir, 'sub/f'), 'x')
    writeFileSync(join(dir, 'g'), 'x')
    const report = await weftJson<StatusReport>(['status', '.'], { cwd: join(dir, 'sub') })
    assert.deepEqual(report.changes, [{ path: 'sub/f', change: 'added' }])
    const failure = await weftFails(['status'], { cwd: temporary('nothing') })
    assert.equal(failure.code, 'REPO_NOT_FOUND')
  })

  it('takes names of whatever bytes, and says them so that they can be given back', async () => {
    const root = standing({})
    mkdirSync(join(root, '.weft/store'))
    const names = ['new\nline', '"quoted"', 'caf\xe9', '-dash', 'tab\t', '\x1b[31m', 'trailing ', '\xc3\xa9t\xc3\xa9']
    for (const name of names) writeFileSync(at(root, name), '')
    const report = await weftJson<StatusReport>(['status'], { cwd: root })
    assert.deepEqual(report.changes.map(({ path }) => unformatPath(path)).sort(), [...names].sort())
    for (const { path } of report.changes) {
      const one = await workStatus(root, { paths: [path] })
      assert.deepEqual(one.changes, [{ path, change: 'added' }])
    }
    const onTerminal = formatStatus(report, makeStyle(false, true))
    assert.equal(onTerminal.includes('\x1b'), false)
    assert.match(onTerminal, /^ {2}"new\\nline"$/m)
  })

  it('leaves the index alone that a command wrote meanwhile', async () => {
    const root = standing({ a: '1', b: '2' })
    const before = WorkIndex.read(root) as WorkIndex
    const stats = new Map([[0, { mtime: 1, ctime: 1, inode: 1, size: 1 }]])
    before.with({ seq: 2, stream: 1, id: ID }, new Map()).write(root)
    assert.equal(before.withStats(stats).writeUnlessChanged(root, before), false)
    assert.equal(WorkIndex.read(root)?.base?.seq, 2)
  })

  it('may run while others write the index, which is whole at any time', async () => {
    const root = standing({ a: '1', b: '2' })
    mkdirSync(join(root, '.weft/store'))
    let done = false
    const writer = (async () => {
      for (let i = 0; i < 300 && !done; i++) {
        ;(WorkIndex.read(root) as WorkIndex).write(root)
        await new Promise((resolve) => setTimeout(resolve, 1))
      }
    })()
    const reports = await Promise.all(
      Array.from({ length: 4 }, async () => {
        utimesSync(join(root, 'a'), 1000, 1000)
        return weftJson<StatusReport>(['status'], { cwd: root })
      }),
    )
    done = true
    await writer
    assert.ok(reports.every(({ clean }) => clean))
    assert.deepEqual(readdirSync(join(root, '.weft')).sort(), ['head', 'index', 'store'])
  })

  it('names what it cannot read, and goes on', async () => {
    const root = standing({ a: '1', b: '2', 'd/c': '3' })
    for (const name of ['.weft/store', '.weft/operations']) mkdirSync(join(root, name))
    utimesSync(join(root, 'a'), 1000, 1000)
    chmodSync(join(root, 'a'), 0)
    chmodSync(join(root, 'd'), 0)
    put(root, 'b', 'changed')
    const report = await weftJson<StatusReport>(['status'], {
      cwd: root,
      ...(process.getuid?.() === 0 && { uid: 65534 }),
    })
    chmodSync(join(root, 'd'), 0o755)
    assert.deepEqual(report.unreadable, [
      { path: 'a', code: 'EACCES' },
      { path: 'd/', code: 'EACCES' },
    ])
    assert.deepEqual(lines(report), ['modified b'])
  })
})
