/**
 * The scan of a work tree, against a slow one that reads every file.
 * @module
 */
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { chmodSync, mkdirSync, renameSync, rmSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { type Tracked, WorkIndex } from '../src/worktree/index-file.js'
import { Place } from '../src/worktree/place.js'
import { type Scan, scanWorkTree } from '../src/worktree/scan.js'
import { mountCoarseDisk, noCoarseDisk } from './support/coarse-disk.js'
import { filesBelow } from './support/disk.js'
import { type Random, random } from './support/random.js'
import { at, emptyWorkTree, indexOf, trackedAt } from './support/work-tree.js'

/** Writes files: a path that ends in a slash is a directory. */
function tree(files: Readonly<Record<string, string>>): string {
  const root = emptyWorkTree()
  for (const [path, content] of Object.entries(files)) put(root, path, content)
  return root
}

function put(root: string, path: string, content: string): void {
  const slash = path.lastIndexOf('/')
  if (slash > 0) mkdirSync(at(root, path.slice(0, slash)), { recursive: true })
  if (!path.endsWith('/')) writeFileSync(at(root, path), content)
}

/** The changes as text: `modified a/b`. */
function said(scan: Scan): string[] {
  return scan.changes.map(({ path, change }) => `${change} ${path}`)
}

/** What a scan should say, found by reading everything. */
function slowScan(root: string, index: WorkIndex): string[] {
  const found = new Map([...filesBelow(root)].filter(([path]) => !path.startsWith('.weft/')))
  const lines: [path: string, line: string][] = []
  for (const one of index.all()) {
    const now = found.get(one.path)
    found.delete(one.path)
    if (now === undefined) lines.push([one.path, 'deleted'])
    else {
      const tracked = trackedAt(root, one.path)
      if ((tracked.mode === 0o120000) !== (one.mode === 0o120000)) lines.push([one.path, 'type'])
      else if (!Buffer.from(tracked.sha256).equals(one.sha256)) lines.push([one.path, 'modified'])
      else if (tracked.mode !== one.mode) lines.push([one.path, 'mode'])
    }
  }
  for (const path of found.keys()) lines.push([path, 'added'])
  return lines.sort(([a], [b]) => (a < b ? -1 : 1)).map(([path, change]) => `${change} ${path}`)
}

const NAMES = ['a', 'b', 'c', 'a-b', 'a.b', 'a0', 'caf\xe9', 'caf\xc3\xa9', 'new\nline', '"quoted"', 'sp ace', '-', '~']

function randomPath(rnd: Random): string {
  const depth = 1 + rnd.below(3)
  return Array.from({ length: depth }, () => NAMES[rnd.below(NAMES.length)]).join('/')
}

/** Does something to a work tree, as far as the file system lets it. */
function edit(root: string, rnd: Random): void {
  const path = randomPath(rnd)
  const content = String.fromCharCode(97 + rnd.below(4)).repeat(rnd.below(3))
  const edits = [
    () => rmSync(at(root, path), { recursive: true, force: true }),
    () => rmSync(at(root, path)),
    () => chmodSync(at(root, path), 0o755),
    () => rmSync(at(root, path), { recursive: true }),
    () => symlinkSync(`../${content}`, at(root, path)),
    () => renameSync(at(root, path), at(root, randomPath(rnd))),
    () => put(root, path, content),
    () => put(root, path, content),
    () => put(root, path, content),
  ]
  try {
    edits[rnd.below(edits.length)]?.()
  } catch (error) {
    // A file where a directory would have to be, or nothing to be renamed: another time, then.
    assert.match(String((error as NodeJS.ErrnoException).code), /E(EXIST|ISDIR|NOTDIR|NOENT|NOTEMPTY|LOOP|INVAL)/)
  }
}

describe('a scan', () => {
  it('finds what a slow one finds, after whatever edits', () => {
    const rnd = random('scan')
    for (let round = 0; round < 60; round++) {
      const root = emptyWorkTree('scan')
      for (let i = 0; i < 15; i++) edit(root, rnd)
      let index = indexOf(root)
      index.write(root)
      for (let step = 0; step < 4; step++) {
        for (let i = rnd.below(6); i > 0; i--) edit(root, rnd)
        const scan = scanWorkTree(root, index)
        assert.deepEqual(said(scan), slowScan(root, index))
        assert.deepEqual([scan.unreadable, scan.special, scan.nested, scan.clashes], [[], [], [], []])
        const full = scanWorkTree(root, index, { hash: true })
        assert.deepEqual(said(full), said(scan))
        for (const { path, found } of full.changes) {
          if (found !== undefined) assert.deepEqual(Buffer.from(found.sha256 ?? []), trackedAt(root, path).sha256)
        }
        index = index.withStats(scan.stats)
        assert.deepEqual(said(scanWorkTree(root, index)), said(scan))
      }
    }
  })

  it('looks only where it is told to', () => {
    const root = tree({ a: '1', 'b/c': '1', 'b/d/e': '1', 'bb/f': '1' })
    const index = indexOf(root)
    for (const path of ['a', 'b/c', 'b/d/e', 'bb/f', 'b/new', 'new']) put(root, path, 'changed')
    rmSync(join(root, 'b/d'), { recursive: true })
    const at = (...paths: string[]): string[] => said(scanWorkTree(root, index, { paths }))
    assert.deepEqual(at('b'), ['modified b/c', 'deleted b/d/e', 'added b/new'])
    assert.deepEqual(at('b/d/e', 'new'), ['deleted b/d/e', 'added new'])
    assert.deepEqual(at('b/d'), ['deleted b/d/e'])
    assert.deepEqual(at('a'), ['modified a'])
    assert.deepEqual(at('nowhere'), [])
    assert.equal(at('').length, 6)
  })

  it('notices a file that was edited twice within a tick, to the same size', () => {
    editWithinTicks(tree({ f: '0000', g: 'g' }), 200)
  })

  it('notices it where a tick is a second', { skip: noCoarseDisk() }, () => {
    using disk = mountCoarseDisk()
    mkdirSync(join(disk.path, '.weft'))
    editWithinTicks(disk.path, 300)
  })
})

/** Edits a file twice as fast as can be, the index written in between, and looks whether the second edit is noticed. */
function editWithinTicks(root: string, rounds: number): void {
  writeFileSync(join(root, 'g'), 'g')
  for (let i = 0; i < rounds; i++) {
    const [before, after] = [`${i}`.padStart(4, '0'), `${i + 1}`.padStart(4, '0')]
    writeFileSync(join(root, 'f'), before)
    let index = indexOf(root, (path) => path.startsWith('lost+found'))
    // Stats come from whoever wrote a file, or from a scan; and they are written to the disk or not.
    if (i % 3 === 0) index = index.withStats(scanWorkTree(root, index.with(undefined, unknown(index))).stats)
    if (i % 3 === 1) {
      index = index.with(undefined, unknown(index))
      index = index.withStats(scanWorkTree(root, index).stats)
    } else index.write(root)
    if (i % 2 === 0) index = i % 3 === 1 ? index : (WorkIndex.read(root) ?? index)
    writeFileSync(join(root, 'f'), after)
    assert.deepEqual(said(scanWorkTree(root, index)), ['modified f'], `round ${i}`)
  }
}

describe('what a scan meets', () => {
  it('pipes, sockets and devices are reported, and never tracked', async () => {
    const root = tree({ a: '1', b: '2', 'd/c': '3' })
    const index = indexOf(root)
    rmSync(join(root, 'a'))
    execFileSync('mkfifo', [join(root, 'a'), join(root, 'd/pipe')])
    const server = createServer().listen(join(root, 'd/socket'))
    await new Promise((resolve) => server.once('listening', resolve))
    const scan = scanWorkTree(root, index, { hash: true })
    server.close()
    assert.deepEqual(said(scan), ['deleted a'])
    assert.deepEqual(scan.special, [
      { path: 'a', kind: 'fifo' },
      { path: 'd/pipe', kind: 'fifo' },
      { path: 'd/socket', kind: 'socket' },
    ])
  })

  it('links are compared by their targets, and never followed', () => {
    const root = tree({ 'd/f': '1', 'e/f': '1' })
    symlinkSync('/etc', join(root, 'out'))
    symlinkSync('nowhere', join(root, 'gone'))
    const index = indexOf(root)
    assert.deepEqual(said(scanWorkTree(root, index)), [])
    rmSync(join(root, 'out'))
    symlinkSync('/usr', join(root, 'out'))
    rmSync(join(root, 'd'), { recursive: true })
    symlinkSync('e', join(root, 'd'))
    assert.deepEqual(said(scanWorkTree(root, index)), ['added d', 'deleted d/f', 'modified out'])
  })

  it('other repositories are not looked into', () => {
    const root = tree({
      'sub/.git/config': '',
      'sub/f': '',
      'link/.git': 'gitdir: x',
      'link/f': '',
      'w/.weft/head': '',
    })
    put(root, '.git/config', '')
    put(root, 'tracked/.git', '')
    put(root, 'tracked/f', '')
    const index = indexOf(root, (path) => path !== 'tracked/f')
    put(root, 'tracked/new', '')
    put(root, 'tracked/f', 'changed')
    const scan = scanWorkTree(root, index)
    assert.deepEqual(said(scan), ['modified tracked/f'])
    assert.deepEqual(scan.nested, ['link', 'sub', 'w'])
  })

  it('submodules are left alone, there or not', () => {
    const root = tree({ a: '1' })
    const link = { mode: 0o160000, file: { seq: 1, stream: 1 }, size: 41, sha256: new Uint8Array(32), chunked: false }
    const one = (path: string): Tracked => ({ path, ...link, stat: undefined })
    const index = WorkIndex.build(undefined, [trackedAt(root, 'a'), one('deep/sub'), one('sub'), one('z')])
    put(root, 'sub/', '')
    put(root, 'sub/inside', '')
    assert.deepEqual(said(scanWorkTree(root, index)), [])
    put(root, 'z', 'a file')
    assert.deepEqual(said(scanWorkTree(root, index)), ['type z'])
  })

  it('names that no work tree may have are reported', () => {
    const root = tree({ '.GIT/x': '', '.git ': '', 'git~1': '', '.gitx': '', 'd/.Weft': '' })
    const scan = scanWorkTree(root, WorkIndex.build(undefined, []))
    assert.deepEqual(said(scan), ['added .gitx'])
    assert.deepEqual(
      scan.special.map(({ path, kind }) => `${kind} ${path}`),
      ['name .GIT', 'name .git ', 'name d/.Weft', 'name git~1'],
    )
  })

  it('the executable bit alone counts of odd modes, where there is one', () => {
    const root = tree({ a: '1', b: '1' })
    const odd = (path: string): Tracked => ({ ...trackedAt(root, path), mode: 0o100664 })
    const index = WorkIndex.build(undefined, [odd('a'), odd('b')])
    assert.deepEqual(said(scanWorkTree(root, index)), [])
    chmodSync(join(root, 'a'), 0o755)
    writeFileSync(join(root, 'b'), 'new')
    const [a, b] = scanWorkTree(root, index).changes
    assert.deepEqual([a?.change, a?.found?.mode, b?.change, b?.found?.mode], ['mode', 0o100755, 'modified', 0o100664])
    assert.deepEqual(said(scanWorkTree(root, index, { executableBits: false })), ['modified b'])
  })

  it('a time that was set back does not hide a change', () => {
    const root = tree({ a: '1' })
    utimesSync(join(root, 'a'), 1000, 1000)
    const index = indexOf(root)
    writeFileSync(join(root, 'a'), '2')
    utimesSync(join(root, 'a'), 1000, 1000)
    assert.deepEqual(said(scanWorkTree(root, index)), ['modified a'])
  })
})

describe('a place in a work tree', () => {
  const cases: [name: string, listed: string[], claimed: string, twin: string | undefined][] = [
    ['has the name itself', ['README', 'readme'], 'README', undefined],
    ['has it in other letters', ['a', 'readme'], 'README', 'readme'],
    ['has it normalised otherwise', ['cafe\xcc\x81'], 'caf\xc3\xa9', 'cafe\xcc\x81'],
    ['does not have it', ['a', 'readme2'], 'README', undefined],
    ['has it in other bytes that are no text', ['\xff'], '\xfe', undefined],
  ]
  for (const [name, listed, claimed, twin] of cases) {
    it(name, () => {
      const place = new Place('/', '', () => listed, undefined)
      assert.equal(place.claim(claimed), twin)
      assert.equal(place.isClaimed(claimed), true)
      if (twin !== undefined) assert.equal(place.isClaimed(twin), true)
      assert.equal(place.isClaimed('a'), false)
    })
  }
})

/** All entries without their stats. */
function unknown(index: WorkIndex): Map<string, Tracked> {
  return new Map([...index.all()].map((one) => [one.path, { ...one, stat: undefined }]))
}
