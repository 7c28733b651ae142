/**
 * Files of the work tree moved, removed, cleaned away and restored: what they come to, and that undo gives back the same
 * bytes and modes.
 * @module
 */
import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { clean, commit, movePaths, removePaths, restorePaths } from '../src/index.js'
import { followMoves } from '../src/worktree/move.js'
import { Playground, someText } from './support/playground.js'
import { random } from './support/random.js'
import { weft, weftFails, weftJson } from './support/weft.js'

const chance = random('paths of a work tree')

const PATHS = ['a', 'b', 'c', 'dir/a', 'dir/b', 'dir/deep/c', 'other/a', 'caf\xe9', 'x y']

describe('announced moves', () => {
  it('are those of a model in which every file has a name of its own', () => {
    for (let round = 0; round < 300; round++) {
      const base = PATHS.filter(() => chance.below(2) === 0)
      const said = `seed ${chance.seed}, round ${round}`
      // Where each file is, by the path it has in the base; files that are new have names that no path is.
      const files = new Map(base.map((path) => [path, path]))
      let moves: Map<string, string> = new Map()
      for (let step = 0; step < 1 + chance.below(6); step++) {
        const from = [...files.keys()][chance.below(files.size)]
        const to = PATHS[chance.below(PATHS.length)] as string
        if (from === undefined || from === to) continue
        const renames = new Map([[from, to]])
        if (files.has(to) && chance.below(2) === 0) renames.set(to, from)
        const held = [...renames].map(([old, now]): [string, string] => [now, files.get(old) as string])
        for (const old of renames.keys()) files.delete(old)
        for (const [path, name] of held) files.set(path, name)
        moves = followMoves(moves, renames, (path) => base.includes(path))
      }
      const wanted = [...files].filter(([path, name]) => path !== name)
      assert.deepEqual([...moves].sort(), wanted.sort(), said)
    }
  })
})

describe('weft mv', () => {
  it('keeps the file, through chains, edits, and files that change places', async () => {
    await using play = await Playground.begin()
    play.write({ a: 'one\n', b: 'two\n', 'dir/c': 'three\n', d: 'four\n' })
    await play.commit()
    const before = play.ids()
    const { work } = play
    await movePaths(work, { from: ['a'], to: 'tmp' })
    await movePaths(work, { from: ['b'], to: 'a' })
    await movePaths(work, { from: ['tmp'], to: 'b' })
    await movePaths(work, { from: ['dir'], to: 'e' })
    await movePaths(work, { from: ['d'], to: 'e' })
    play.write({ 'e/d': 'something else\n', d: 'new here\n' })
    await play.commit()
    const after = play.ids()
    assert.deepEqual([after['a'], after['b']], [before['b'], before['a']])
    assert.deepEqual([after['e/c'], after['e/d']], [before['dir/c'], before['d']])
    assert.notEqual(after['d'], before['d'])
    assert.equal(play.has('dir'), false)
    assert.deepEqual(work.state, {})
    assert.deepEqual((await play.repo.verify()).damage, [])
  })

  it('takes what nobody tracks along, tells of a move made by hand, and forgets one that was taken back', async () => {
    await using play = await Playground.begin()
    play.write({ 'dir/a': 'one\n', 'dir/b': 'two\n', '.gitignore': '*.o\n' })
    await play.commit()
    const before = play.ids()
    play.write({ 'dir/new': 'n\n', 'dir/x.o': 'ignored\n' })
    await movePaths(play.work, { from: ['dir'], to: 'lib' })
    assert.deepEqual(Object.keys(play.disk()).sort(), ['.gitignore', 'lib/a', 'lib/b', 'lib/new', 'lib/x.o'])
    await movePaths(play.work, { from: ['lib'], to: 'dir' })
    assert.deepEqual(play.work.state, {})
    play.write({ 'dir/a': undefined, z: 'one, changed beyond\nrecognition\n' })
    await movePaths(play.work, { from: ['dir/a'], to: 'z' })
    await play.commit()
    assert.equal(play.ids()['z'], before['dir/a'])
  })

  it('commits both ends of a move, and leaves the others announced', async () => {
    await using play = await Playground.begin()
    play.write({ a: 'one\n', b: 'two\n' })
    await play.commit()
    const before = play.ids()
    await movePaths(play.work, { from: ['a'], to: 'c' })
    await movePaths(play.work, { from: ['b'], to: 'd' })
    play.write({ c: 'other\n', d: 'others\n' })
    await commit(play.work, { message: 'one move', author: { name: 'Ada', email: 'a@b' }, paths: ['c'] })
    assert.deepEqual(Object.keys(play.ids()), ['b', 'c'])
    assert.deepEqual(play.work.state.moves, { d: 'b' })
    await play.commit()
    assert.deepEqual(play.ids(), { c: before['a'], d: before['b'] })
  })

  it('refuses what would overwrite or makes no sense', async () => {
    await using play = await Playground.begin()
    play.write({ a: 'one\n', b: 'two\n', 'dir/c': 'three\n', 'mine/.git/x': '', 'mine/file': '' })
    await play.commit()
    const { work } = play
    await assert.rejects(movePaths(work, { from: ['a'], to: 'b' }), { code: 'PATH_TAKEN' })
    await assert.rejects(movePaths(work, { from: ['a', 'b'], to: 'nowhere' }), { code: 'DIR_NOT_FOUND' })
    await assert.rejects(movePaths(work, { from: ['none'], to: 'x' }), { code: 'PATH_UNKNOWN' })
    await assert.rejects(movePaths(work, { from: ['dir'], to: 'dir/in' }), { code: 'USAGE' })
    await assert.rejects(movePaths(work, { from: ['mine'], to: 'yours' }), { code: 'PATH_BLOCKED' })
    await assert.rejects(movePaths(work, { from: ['a'], to: '../out' }), { code: 'PATH_UNSAFE' })
    const before = play.disk()
    await movePaths(work, { from: ['a', 'b'], to: 'nowhere', isDirectory: true })
    assert.equal(play.has('nowhere/b'), true)
    await play.undo()
    await movePaths(work, { from: ['a'], to: 'b', force: true })
    await play.undo()
    assert.deepEqual(play.disk(), before)
  })
})

describe('weft clean', () => {
  it('never touches repositories, and takes emptied directories away', async () => {
    await using play = await Playground.begin()
    play.write({ kept: 'k\n', '.gitignore': 'build\n*.o\n' })
    await play.commit()
    play.write({
      'new/deep/file': 'n\n',
      'build/x': 'b\n',
      'a.o': 'o\n',
      'mine/.git/config': 'c\n',
      'mine/file': 'f\n',
    })
    play.write({ 'build/mine/.git/config': 'c\n', 'build/mine/file': 'f\n' })
    const before = play.disk()
    const dry = await clean(play.work, { dryRun: true })
    assert.deepEqual([dry.removed, dry.left], [['new/deep/file'], ['mine']])
    assert.deepEqual(play.disk(), before)
    await clean(play.work)
    assert.equal(play.has('new'), false)
    assert.equal(play.has('build/x'), true)
    const all = await clean(play.work, { ignored: true })
    assert.deepEqual(
      [all.removed, all.left],
      [
        ['a.o', 'build/x'],
        ['build/mine', 'mine'],
      ],
    )
    assert.equal(play.has('build/mine/file'), true)
    await play.undo()
    await play.undo()
    assert.deepEqual(play.disk(), before)
  })
})

describe('weft restore in the work tree', () => {
  it('takes from older versions, removes what they do not have, and leaves new files alone', async () => {
    await using play = await Playground.begin()
    play.write({ 'dir/a': 'one\n', 'dir/b': 'two\n' })
    const first = await play.commit()
    play.write({ 'dir/a': 'other\n', 'dir/b': undefined, 'dir/c': 'three\n' })
    await play.commit()
    play.write({ 'dir/new': 'new\n', 'dir/c': 'unsaved\n' })
    const report = await restorePaths(play.work, { paths: ['dir'], at: first })
    assert.deepEqual([report.written, report.removed, report.unsaved], [['dir/a', 'dir/b'], ['dir/c'], ['dir/c']])
    assert.deepEqual(Object.keys(play.disk()).sort(), ['dir/a', 'dir/b', 'dir/new'])
    await assert.rejects(restorePaths(play.work, { paths: ['dir/new'] }), { code: 'PATH_UNKNOWN' })
  })
})

describe('what was done to files', () => {
  for (let round = 1; round <= 12; round++) {
    it(`is undone to the very bytes and modes: ${round}`, async () => {
      const said = `seed ${chance.seed}, round ${round}`
      await using play = await Playground.begin()
      const { work } = play
      play.write({ '.gitignore': 'ign*\n', first: someText(chance) })
      play.disturb(chance, PATHS)
      await play.commit()
      const saved = play.disk()
      play.disturb(chance, [...PATHS, 'new', 'dir/new', 'ignored', 'ignoring/x'])
      const unsaved = play.disk()
      const some = PATHS.filter((path) => work.index.find(path) >= 0).slice(0, 3)
      const attempts: (() => Promise<unknown>)[] = [
        () => restorePaths(work, { paths: [''] }),
        () => clean(work),
        () => clean(work, { ignored: true }),
        () => removePaths(work, some.length > 0 ? some : ['first']),
        () => movePaths(work, { from: ['first'], to: 'moved' }),
        () => movePaths(work, { from: ['dir'], to: 'elsewhere' }),
      ]
      for (const attempt of attempts) {
        let done = true
        await attempt().catch((error: unknown) => {
          const { code } = error as { code?: string }
          // A directory that is a link now, or is gone, or stands where a file was.
          assert.ok(['PATH_BLOCKED', 'PATH_UNKNOWN'].includes(String(code)), `${String(error)}, ${said}`)
          done = false
        })
        assert.ok(attempt !== attempts[0] || done, said)
        if (attempt === attempts[0]) {
          for (const [path, text] of Object.entries(saved))
            if (!path.startsWith('ign')) assert.equal(play.disk()[path], text, said)
        }
        if (attempt === attempts[1] && done)
          assert.deepEqual(
            work.scan().changes.filter(({ change }) => change === 'added'),
            [],
            said,
          )
        const isSame = JSON.stringify(play.disk()) === JSON.stringify(unsaved)
        if (done && !isSame) await play.undo()
        assert.deepEqual(play.disk(), unsaved, said)
      }
    })
  }
})

describe('the commands', () => {
  it('say what they did', async () => {
    await using play = await Playground.begin('told')
    play.write({ 'doc/a.txt': 'one\n', b: 'two\n' })
    const first = await play.commit()
    await play.repo[Symbol.asyncDispose]()
    const cwd = join(play.root, 'doc')
    const said = async (...args: string[]) => {
      const { status, stdout, stderr } = await weft(args, { cwd })
      assert.equal(status, 0, stderr)
      return stdout.toString()
    }
    assert.equal(await said('mv', 'a.txt', '../c.txt'), 'Moved doc/a.txt to c.txt.\n')
    assert.match(await said('undo'), /^Undone: mv doc\/a.txt to c.txt\n/)
    writeFileSync(join(cwd, 'a.txt'), 'unsaved\n')
    writeFileSync(join(cwd, 'new'), 'new\n')
    assert.equal(await said('clean', '-n'), 'Would remove: doc/new\n')
    assert.equal(
      await said('restore', 'a.txt'),
      `Restored as of ${first.slice(0, 12)}: doc/a.txt\n1 file had changes that were never committed; weft undo brings it back.\n`,
    )
    assert.equal(await said('rm', '../b'), 'Removed: b\n')
    writeFileSync(join(cwd, '../above'), 'stays\n')
    assert.deepEqual((await weftJson<{ removed: string[] }>(['clean'], { cwd })).removed, ['doc/new'])
    assert.deepEqual((await weftJson<{ removed: string[] }>(['clean', '..'], { cwd })).removed, ['above'])
    assert.equal((await weftFails(['restore'], { cwd })).code, 'USAGE')
    assert.equal((await weftFails(['restore', '--to', 'x'], { cwd })).code, 'USAGE')
    assert.equal((await weftFails(['rm', '--cached', 'a.txt'], { cwd })).code, 'USAGE')
    assert.equal((await weftFails(['mv', 'a.txt'], { cwd })).code, 'USAGE')
  })
})
