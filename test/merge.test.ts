/**
 * Merging, from versions to what comes out: what must come out right, and every kind of conflict.
 * @module
 */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { toHex } from '../src/base/bytes.js'
import { defaultCrypto } from '../src/crypto/default.js'
import { decodeConflicts, encodeConflicts } from '../src/history/conflict.js'
import type { VersionRef } from '../src/history/header.js'
import { applyChange, type MergeOutcome, mergeStates } from '../src/history/merge.js'
import type { PathPut } from '../src/history/path-entry.js'
import { pathsAt } from '../src/history/paths.js'
import type { Vector } from '../src/lseq/vector.js'
import { imported, importedFrom } from './support/imported.js'
import { type Change, type Files, lines, Story } from './support/merging.js'
import { random } from './support/random.js'
import { randomHistory } from './support/random-history.js'

describe('merging must come out right', () => {
  it('where a line of the original changes and a copy stands above it', async () => {
    await using repo = await (await imported('badmerge')).open()
    const sides = { left: (await repo.resolve('copy')).vector, right: (await repo.resolve('mend')).vector }
    const right = Buffer.from(await repo.read('square.c', { at: 'right' })).toString()
    for (const [left, other] of [
      [sides.left, sides.right],
      [sides.right, sides.left],
    ] as const) {
      const { conflicts, paths } = await mergeStates(repo, left, other)
      assert.deepEqual(conflicts, [])
      const content = paths[0]?.put?.content as Uint8Array
      assert.equal(Buffer.from(content).toString(), right)
    }
  })

  it('where both sides made the same change', async () => {
    await using story = await Story.begin()
    const base = await story.commit([], { f: lines('a b c d e') })
    const left = await story.commit([base], { f: lines('a X Y d e') })
    const right = await story.commit([base], { f: lines('a X Y d e') })
    assert.deepEqual((await story.outcome(left, right)).conflicts, [])
    assert.deepEqual(await story.merged(left, right), { f: lines('a X Y d e') })
    const merged = await story.merge(left, right)
    assert.deepEqual(await story.files(merged), { f: lines('a X Y d e') })
  })

  it('where merges cross: the same state in both orders, nothing twice', async () => {
    await using story = await Story.begin()
    const base = await story.commit([], { f: lines('a b c d e f g') })
    const left = await story.commit([base], { f: lines('a L b c d e f g') })
    const right = await story.commit([base], { f: lines('a b c d e f R g') })
    const one = await story.merge(left, right)
    const two = await story.merge(right, left)
    const after = { f: lines('a L b c d e f R g') }
    assert.deepEqual(await story.files(one), after)
    const next = [await story.commit([one], { f: lines('a L b c X d e f R g') }), two] as const
    for (const [x, y] of [next, [next[1], next[0]] as const]) {
      assert.deepEqual(await story.files(await story.merge(x, y)), { f: lines('a L b c X d e f R g') })
    }
  })

  it('where a merge is repeated', async () => {
    await using story = await Story.begin()
    const base = await story.commit([], { f: lines('a b c') })
    const left = await story.commit([base], { f: lines('L a b c') })
    const right = await story.commit([base], { f: lines('a b c R') })
    const merged = await story.merge(left, right)
    for (const side of [left, right, merged]) {
      const { kind, paths } = await story.outcome(merged, side)
      assert.deepEqual({ kind, paths }, { kind: 'already', paths: [] })
    }
    assert.equal((await story.outcome(left, merged)).kind, 'fast-forward')
    assert.deepEqual(await story.merged(left, merged), await story.files(merged))
  })

  it('where it does not: a conflict names the versions and their authors', async () => {
    await using story = await Story.begin()
    const base = await story.commit([], { f: lines('a b') })
    const outcome = await story.outcome(
      await story.commit([base], { f: lines('a b c') }, 'Léa'),
      await story.commit([base], { f: lines('a b d') }, 'Ben'),
    )
    assert.equal(outcome.conflicts[0]?.regions[0]?.left.by[0]?.name, 'Léa')
  })

  it('where merges cross, and a file is in one of the states in common and not in the other', async () => {
    await using story = await Story.begin()
    const base = await story.commit([], { a: lines('1 2 3') })
    const one = await story.commit([base], { new: lines('4 5 6') })
    const other = await story.commit([base], { a: lines('1 2 3 4') })
    const left = await story.commit([await story.merge(one, other)], { new: lines('4 5 six') })
    const right = await story.commit([await story.merge(other, one)], { a: lines('one 2 3 4') })
    const wanted = { a: lines('one 2 3 4'), new: lines('4 5 six') }
    for (const [x, y] of [
      [left, right],
      [right, left],
    ] as const) {
      const { conflicts } = await story.outcome(x, y)
      assert.deepEqual(conflicts, [])
      assert.deepEqual(await story.merged(x, y), wanted)
    }
  })

  it('where two replicas touched a path at the same time: what the merge leaves as it is, it says once more', async () => {
    const nonce = (bytes: number) => new Uint8Array(bytes)
    await using here = await Story.begin(nonce)
    await using there = await Story.begin(nonce)
    const base = await here.commit([], { b: lines('1 2 3') })
    await there.take(here)
    // The versions' blocks of seqs lie across each other: of the entries for `b` the one here is later, of the versions
    // the one there.
    const left = await here.commit([base], { a: { from: 'b' } })
    const right = await there.commit([base], { b: lines('1 2 3 right'), c: lines('c'), d: lines('d'), e: lines('e') })
    await here.take(there)
    const merged = await here.merge(left, right)
    assert.deepEqual(Object.keys(await here.files(merged)), ['a', 'c', 'd', 'e'])
    assert.deepEqual((await here.repo.verify()).damage, [])
  })

  it('where one side moved lines and the other changed them', async () => {
    await using story = await Story.begin()
    const block = 'alpha-one alpha-two alpha-three'
    const base = await story.commit([], { f: lines(`${block} b c d e`) })
    const left = await story.commit([base], { f: lines(`b c d e ${block}`) })
    const right = await story.commit([base], { f: lines('alpha-one alpha-new alpha-three b c d e') })
    for (const [x, y] of [
      [left, right],
      [right, left],
    ] as const) {
      const merged = await story.merge(x, y)
      assert.deepEqual(await story.files(merged), { f: lines('b c d e alpha-one alpha-new alpha-three') })
    }
    assert.deepEqual((await story.repo.verify()).damage, [])
  })

  it('where a merge moved lines, and somebody who does not know of it goes on', async () => {
    await using story = await Story.begin()
    const base = await story.commit([], { f: lines('a b c d e f') })
    const left = await story.commit([base], { f: lines('a b c X d e f') })
    const right = await story.commit([base], { f: lines('a b c Y d e f') })
    const merged = await story.commit([left, right], { f: lines('a b c Y X d e f') })
    const late = await story.commit([left], { f: lines('a b c X+ d e f') })
    const files = await story.merged(merged, late)
    assert.ok(files['f']?.includes('Y\n'), files['f'])
    assert.ok(files['f']?.includes('X+\n'), files['f'])
  })

  it('where three branches are merged in any order', async () => {
    await using story = await Story.begin()
    const text = 'a b c d e f g h i j k l'
    const base = await story.commit([], { f: lines(text), old: lines('x'), gone: lines('y') })
    const sides = [
      await story.commit([base], { f: lines(text.replace('b', 'B same')), new: lines('n') }),
      await story.commit([base], { f: lines(text.replace('f', 'f F').replace('l', 'same L')), moved: { from: 'old' } }),
      await story.commit([base], {
        f: lines(text.replace('j', 'J').replace('b', 'B same')),
        old: lines('x y'),
        gone: undefined,
      }),
    ]
    const states: unknown[] = []
    for (const [x, y, z] of [
      [0, 1, 2],
      [0, 2, 1],
      [1, 0, 2],
      [1, 2, 0],
      [2, 0, 1],
      [2, 1, 0],
    ] as const) {
      const [one, two, three] = [sides[x], sides[y], sides[z]] as [VersionRef, VersionRef, VersionRef]
      const pair = await story.merge(one, two)
      for (const last of [await story.merge(pair, three), await story.merge(three, pair)]) {
        states.push([await story.files(last), await story.ids(last)])
      }
    }
    const [files] = states[0] as [object]
    const after = 'a B same c d e f F g h i J k same L'
    assert.deepEqual(files, { f: lines(after), moved: lines('x y'), new: lines('n') })
    for (const state of states) assert.deepEqual(state, states[0])
    assert.deepEqual((await story.repo.verify()).damage, [])
  })

  it('where crossed merges were resolved by hand, alike or not', async () => {
    await using story = await Story.begin()
    const base = await story.commit([], { f: lines('a b c d e') })
    const left = await story.commit([base], { f: lines('a b L d e') })
    const right = await story.commit([base], { f: lines('a b R d e') })
    const one = await story.commit([left, right], { f: lines('a b L R d e') })
    const alike = await story.commit([right, left], { f: lines('a b L R d e') })
    const other = await story.commit([right, left], { f: lines('a b R d e') })
    const same = await story.outcome(one, alike)
    assert.deepEqual(same.conflicts, [])
    assert.equal(same.bases.length, 2)
    assert.deepEqual(await story.merged(one, alike), { f: lines('a b L R d e') })
    // One took the right side's content as it was: that is a decision, and not the absence of one.
    assert.deepEqual(
      (await story.outcome(one, other)).conflicts.map(({ kind }) => kind),
      ['content'],
    )
  })

  it('where a block is deleted and something in it changed', async () => {
    await using story = await Story.begin()
    const base = await story.commit([], { f: lines('a b c d e f') })
    const left = await story.commit([base], { f: lines('a f') })
    const right = await story.commit([base], { f: lines('a b c D e f') })
    const { conflicts } = await story.outcome(left, right)
    assert.deepEqual(
      conflicts.map(({ kind, regions }) => [
        kind,
        regions.map(({ base: b, left: l, right: r }) => [b.text, l.text, r.text]),
      ]),
      [['content', [[lines('b c d e'), '', lines('b c D e')]]]],
    )
    assert.deepEqual(conflicts[0]?.regions[0]?.markers, { start: 2, base: 3, middle: 8, end: 13 })
  })

  it('where changes are neighbours, or nearly so', async () => {
    await using story = await Story.begin()
    const base = await story.commit([], { f: lines('a b c d e f g h') })
    const left = await story.commit([base], { f: lines('a B c d e f g h') })
    const at = async (text: string) => story.outcome(left, await story.commit([base], { f: lines(text) }))
    const neighbours = await at('a b C d e f g h')
    assert.equal(neighbours.conflicts.length, 1)
    const near = await at('a b c d e F g h')
    assert.deepEqual([near.conflicts.length, near.near.length], [0, 1])
    const [region] = near.near[0]?.regions ?? []
    assert.deepEqual([region?.base.first, region?.base.count, region?.left.text], [2, 5, lines('B c d e f')])
    assert.deepEqual([region?.left.by.length, region?.right.by.length], [1, 1])
    assert.equal((await at('a b c d e f G h')).near.length, 0)
  })

  it('where the file holds what looks like markers', async () => {
    await using story = await Story.begin()
    const marked = '<<<<<<<< ours\n||||||| base\n=======\n>>>>>>> theirs\n'
    const base = await story.commit([], { f: `a\n${marked}b\n`, g: `a\nx\ny\nz\n${marked}` })
    const left = await story.commit([base], { f: `L\n${marked}b\n`, g: `L\nx\ny\nz\n${marked}` })
    const right = await story.commit([base], { f: `R\n${marked}b\n`, g: `a\nx\ny\nz\n${marked}R\n` })
    const { conflicts } = await story.outcome(left, right)
    assert.deepEqual(
      conflicts.map(({ path, regions }) => [path, regions.length, regions[0]?.markers?.start]),
      [['f', 1, 1]],
    )
    const files = await story.merged(left, right)
    assert.ok(files['f']?.startsWith('<<<<<<<<< left:'), files['f'])
    assert.ok(files['f']?.endsWith(`${marked}b\n`))
    assert.equal(files['g'], `L\nx\ny\nz\n${marked}R\n`)
  })
})

type Changes = Readonly<Record<string, Change>>

describe('merging trees', () => {
  const SYMLINK = 0o120000
  const SUBMODULE = 0o160000
  const EXECUTABLE = 0o100755
  const clean: [name: string, base: Changes, left: Changes, right: Changes, merged: Files][] = [
    ['takes what each side added', { a: 'a' }, { b: 'b' }, { 'd/c': 'c' }, { a: 'a', b: 'b', 'd/c': 'c' }],
    ['takes a deletion', { a: 'a', b: 'b' }, { a: undefined }, { b: 'B' }, { b: 'B' }],
    ['deletes once', { a: 'a', b: 'b' }, { a: undefined }, { a: undefined }, { b: 'b' }],
    [
      'follows a file that was moved',
      { a: lines('a b c') },
      { 'x/y': { from: 'a' } },
      { a: lines('a b C') },
      { 'x/y': lines('a b C') },
    ],
    [
      'moves and changes',
      { a: lines('a b c') },
      { b: { from: 'a', text: lines('A b c') } },
      { a: lines('a b C') },
      { b: lines('A b C') },
    ],
    ['moves once', { a: 'a' }, { b: { from: 'a' } }, { b: { from: 'a' } }, { b: 'a' }],
    [
      'moves in a circle',
      { a: lines('a x'), b: lines('b x') },
      { a: { from: 'b' }, b: { from: 'a' } },
      { a: lines('a y') },
      { a: lines('b x'), b: lines('a y') },
    ],
    ['has one file where both added the same', {}, { a: lines('a') }, { a: lines('a') }, { a: lines('a') }],
    ['takes a mode and a change', { a: 'a' }, { a: { mode: EXECUTABLE } }, { a: 'b' }, { a: '100755 b' }],
    ['takes bytes that one side changed', { a: '\0a' }, { a: '\0b' }, { b: 'b' }, { a: '\0b', b: 'b' }],
    [
      'takes a link that one side turned',
      { a: { text: 'x', mode: SYMLINK } },
      { a: { text: 'y', mode: SYMLINK } },
      { b: 'b' },
      { a: '120000 y', b: 'b' },
    ],
    [
      'takes a file for a directory',
      { 'a/b': 'b', c: 'c' },
      { 'a/b': undefined, a: 'file' },
      { c: 'C' },
      { a: 'file', c: 'C' },
    ],
    [
      'leaves a new file where it was put, though its directory moved',
      { 'd/a': 'a' },
      { 'e/a': { from: 'd/a' } },
      { 'd/b': 'b' },
      { 'd/b': 'b', 'e/a': 'a' },
    ],
  ]
  for (const [name, first, ours, theirs, merged] of clean) {
    it(name, async () => {
      await using story = await Story.begin()
      const base = await story.commit([], { root: 'root', ...first })
      const left = await story.commit([base], ours)
      const right = await story.commit([base], theirs)
      for (const [x, y] of [
        [left, right],
        [right, left],
      ] as const) {
        assert.deepEqual((await story.outcome(x, y)).conflicts, [])
        assert.deepEqual(await story.merged(x, y), { ...merged, root: 'root' })
        assert.deepEqual(await story.files(await story.merge(x, y)), { ...merged, root: 'root' })
      }
      assert.deepEqual(await story.ids(await story.merge(left, right)), await story.ids(await story.merge(right, left)))
    })
  }

  const conflicts: [name: string, base: Changes, left: Changes, right: Changes, found: string[], merged: Files][] = [
    ['a change and a deletion', { a: 'a' }, { a: 'b' }, { a: undefined }, ['edit/delete a'], { a: 'b' }],
    ['a deletion and a change', { a: 'a' }, { a: undefined }, { a: 'b' }, ['edit/delete a'], { a: 'b' }],
    ['a move and a deletion', { a: 'a' }, { b: { from: 'a' } }, { a: undefined }, ['rename/delete b'], { b: 'a' }],
    ['a deletion and a move', { a: 'a' }, { a: undefined }, { b: { from: 'a' } }, ['rename/delete b'], { b: 'a' }],
    [
      'moves to two paths',
      { a: lines('a b c d') },
      { b: { from: 'a' } },
      { c: { from: 'a', text: lines('a b c D') } },
      ['rename/rename b'],
      { b: lines('a b c D') },
    ],
    [
      'two files moved to one path',
      { a: 'a', b: 'b' },
      { c: { from: 'a' } },
      { c: { from: 'b' } },
      ['two to one c~right'],
      { c: 'a', 'c~right': 'b' },
    ],
    [
      'a move to where a file was added',
      { a: 'a' },
      { c: { from: 'a' } },
      { c: 'c' },
      ['two to one c~right'],
      { c: 'a', 'c~right': 'c' },
    ],
    [
      'a file that was added and a move to its path',
      { a: 'a' },
      { z: 'z' },
      { z: { from: 'a' } },
      ['two to one z~right'],
      { z: 'z', 'z~right': 'a' },
    ],
    ['different files at one path', {}, { a: '\0b' }, { a: '\0c' }, ['add/add a'], { a: '\0b' }],
    [
      'a file and a directory',
      {},
      { a: 'a' },
      { 'a/b': 'b' },
      ['file/directory a~left'],
      { 'a~left': 'a', 'a/b': 'b' },
    ],
    [
      'a directory and a file',
      {},
      { 'a/b': 'b' },
      { a: 'a' },
      ['file/directory a~right'],
      { 'a~right': 'a', 'a/b': 'b' },
    ],
    ['modes', {}, { a: { text: 'a', mode: EXECUTABLE } }, { a: 'a' }, ['mode a'], { a: '100755 a' }],
    ['bytes', { a: '\0a' }, { a: '\0b' }, { a: '\0c' }, ['binary a'], { a: '\0b' }],
    ['text and bytes', { a: 'a' }, { a: 'b' }, { a: '\0c' }, ['binary a'], { a: 'b' }],
    ['links', { a: { text: 'x', mode: SYMLINK } }, { a: 'y' }, { a: 'z' }, ['symlink a'], { a: '120000 y' }],
    ['submodules', { a: { text: 'x', mode: SUBMODULE } }, { a: 'y' }, { a: 'z' }, ['submodule a'], { a: '160000 y' }],
    ['a link and a change', { a: 'a' }, { a: { text: 'x', mode: SYMLINK } }, { a: 'b' }, ['mode a'], { a: '120000 x' }],
    [
      'a mode and a deletion',
      { a: 'a' },
      { a: { mode: EXECUTABLE } },
      { a: undefined },
      ['edit/delete a'],
      { a: '100755 a' },
    ],
  ]
  for (const [name, first, ours, theirs, found, merged] of conflicts) {
    it(`does not decide between ${name}`, async () => {
      await using story = await Story.begin()
      const base = await story.commit([], { root: 'root', ...first })
      const left = await story.commit([base], ours)
      const right = await story.commit([base], theirs)
      const outcome = await story.outcome(left, right)
      assert.deepEqual(
        outcome.conflicts.map(({ kind, path }) => `${kind} ${path}`),
        found,
      )
      assert.deepEqual(await story.merged(left, right), { ...merged, root: 'root' })
      assert.deepEqual(await story.files(await story.merge(left, right)), { ...merged, root: 'root' })
      assert.deepEqual(decodeConflicts(encodeConflicts(outcome.conflicts)), outcome.conflicts)
      assert.deepEqual((await story.repo.verify()).damage, [])
    })
  }

  it('marks what differs between two files that were added at one path', async () => {
    await using story = await Story.begin()
    const base = await story.commit([], { root: 'root' })
    const left = await story.commit([base], { a: lines('one two three') })
    const right = await story.commit([base], { a: lines('one 2 three') })
    const { conflicts } = await story.outcome(left, right)
    assert.deepEqual(
      conflicts.map(({ kind, regions }) => [kind, regions.map(({ left: l, right: r }) => [l.text, r.text])]),
      [['add/add', [[lines('two'), lines('2')]]]],
    )
    // Once they are one file, a side that does not know of it yet is merged by what stands at the path.
    const merged = await story.commit([left, right], { a: lines('one two three') })
    const late = await story.commit([right], { a: lines('one 2 three four') })
    const later = await story.outcome(merged, late)
    assert.deepEqual(later.conflicts, [])
    assert.deepEqual(await story.merged(merged, late), { a: lines('one two three four'), root: 'root' })
  })

  it('has one conflict where both put another file in the place of one', async () => {
    await using story = await Story.begin()
    const base = await story.commit([], { a: lines('a b c'), b: 'b' })
    const gone = await story.commit([base], { a: undefined })
    const left = await story.commit([gone], { a: lines('d e f') })
    const right = await story.commit([await story.commit([base], { a: undefined, b: 'B' })], { a: lines('g h i') })
    for (const [x, y] of [
      [left, right],
      [right, left],
    ] as const) {
      const { conflicts } = await story.outcome(x, y)
      assert.deepEqual(
        conflicts.map(({ kind, path, base: before }) => [kind, path, before?.path]),
        [['content', 'a', 'a']],
      )
    }
  })

  it('finds a file that was moved without anybody saying so', async () => {
    await using story = await Story.begin()
    const base = await story.commit([], { a: lines('one two three four five') })
    const copied = await story.commit([base], { 'd/b': lines('one two three four FIVE') })
    const left = await story.commit([copied], { a: undefined })
    const right = await story.commit([base], { a: lines('ONE two three four five') })
    for (const [x, y] of [
      [left, right],
      [right, left],
    ] as const) {
      assert.deepEqual((await story.outcome(x, y)).conflicts, [])
      assert.deepEqual(await story.files(await story.merge(x, y)), { 'd/b': lines('ONE two three four FIVE') })
    }
    const other = await story.commit([await story.commit([base], { b: lines('un deux trois four five') })], {
      a: undefined,
    })
    assert.deepEqual(
      (await story.outcome(other, right)).conflicts.map(({ kind, path }) => [kind, path]),
      [['edit/delete', 'a']],
    )
  })

  it('says where a new file was left behind by its directory', async () => {
    await using story = await Story.begin()
    const base = await story.commit([], { 'd/a': 'a', 'd/b': 'b', 'e/c': 'c', 'e/d': 'd' })
    const left = await story.commit([base], {
      'x/d/a': { from: 'd/a' },
      'x/d/b': { from: 'd/b' },
      'x/c': { from: 'e/c' },
    })
    const right = await story.commit([base], { 'd/new': 'new', 'e/new': 'new' })
    for (const [x, y] of [
      [left, right],
      [right, left],
    ] as const) {
      const { near } = await story.outcome(x, y)
      assert.deepEqual(near, [{ path: 'd/new', regions: [], movedTo: 'x/d' }])
    }
  })

  it('makes a change on top of another state, and takes one back', async () => {
    await using story = await Story.begin()
    const { versions } = story.repo
    const base = await story.commit([], { f: lines('a b c d e f g'), g: 'g' })
    const change = await story.commit([base], { f: lines('a B c d e f g'), h: 'h' })
    const later = await story.commit([change], { f: lines('a B c d e f G') })
    const other = await story.commit([base], { f: lines('x a b c d e f g'), g: undefined })
    const vectors = await Promise.all([base, change, later, other].map((one) => versions.vectorOf(one)))
    const [from, to, top, onto] = vectors as [Vector, Vector, Vector, Vector]
    const names = { left: 'main', right: 'change' }
    const shown = ({ conflicts, paths }: MergeOutcome) => ({
      conflicts: conflicts.length,
      paths: paths.map(({ path, put }) => {
        const content = put?.content
        return [path, content === undefined || 'put' in content ? content?.from : Buffer.from(content).toString()]
      }),
    })
    assert.deepEqual(shown(await applyChange(story.repo, onto, { from, to }, names)), {
      conflicts: 0,
      paths: [
        ['f', lines('x a B c d e f g')],
        ['h', 'right'],
      ],
    })
    assert.deepEqual(shown(await applyChange(story.repo, top, { from: to, to: from }, names)), {
      conflicts: 0,
      paths: [
        ['f', lines('a b c d e f G')],
        ['h', undefined],
      ],
    })
  })

  it('goes by the path where a file was deleted and put again', async () => {
    await using story = await Story.begin()
    const base = await story.commit([], { a: lines('a b c d e') })
    const gone = await story.commit([base], { a: undefined, b: 'b' })
    const left = await story.commit([gone], { a: lines('A b c d e') })
    const right = await story.commit([base], { a: lines('a b c d E') })
    assert.deepEqual((await story.outcome(left, right)).conflicts, [])
    assert.deepEqual(await story.merged(left, right), { a: lines('A b c d E'), b: 'b' })
  })
})

describe('merging any two states of random histories', () => {
  const chance = random('merged states')
  const said = `seed ${chance.seed}`

  /** A tree after a merge, as lines. */
  function treeOf(files: ReadonlyMap<string, PathPut>, { paths }: MergeOutcome): string[] {
    const tree = new Map([...files].map(([path, put]) => [path, shownPut(put.mode, put.sha256, put.file)]))
    for (const { path, put } of paths) {
      tree.delete(path)
      if (put === undefined) continue
      const sha256 = 'put' in put.content ? put.content.put.sha256 : defaultCrypto.sha256(put.content)
      tree.set(path, shownPut(put.mode, sha256, put.file))
    }
    return [...tree].map(([path, shown]) => `${path} ${shown}`).sort()
  }

  const shownPut = (mode: number, sha256: Uint8Array, { seq, stream }: PathPut['file']) =>
    `${mode} ${toHex(sha256)} ${stream}-${seq}`

  for (let round = 1; round <= 3; round++) {
    it(`decides the same whichever is merged into which, round ${round}`, async () => {
      const { open } = await importedFrom(randomHistory(40, chance).dir)
      await using repo = await open()
      const { versions, entries } = repo
      const vectors: Vector[] = []
      for await (const version of versions.all()) {
        if (version.parents.length > 0)
          vectors.push(await versions.vectorOf({ seq: version.last, stream: version.stream }))
      }
      const filesAt = async (vector: Vector) => {
        const files = new Map<string, PathPut>()
        for await (const { path, entry } of pathsAt(entries, versions.streams, vector)) files.set(path, entry)
        return files
      }
      for (let i = 0; i < 60; i++) {
        const [left, right] = [vectors[chance.below(vectors.length)], vectors[chance.below(vectors.length)]] as [
          Vector,
          Vector,
        ]
        const [forth, back] = [await mergeStates(repo, left, right), await mergeStates(repo, right, left)]
        const kinds = { already: 'fast-forward', 'fast-forward': 'already', merge: 'merge' }
        if (left !== right) assert.equal(back.kind, kinds[forth.kind], said)
        assert.deepEqual(decodeConflicts(encodeConflicts(forth.conflicts)), forth.conflicts, said)
        assert.equal(forth.conflicts.length > 0, back.conflicts.length > 0, said)
        const made = treeOf(await filesAt(left), forth)
        assert.equal(new Set(made.map((line) => line.split(' ').at(-1))).size, made.length, `a file is twice, ${said}`)
        if (forth.conflicts.length === 0) assert.deepEqual(made, treeOf(await filesAt(right), back), said)
        if (forth.kind === 'fast-forward') assert.deepEqual(made, treeOf(await filesAt(right), back), said)
      }
    })
  }
})
