/**
 * The plan of an import. Every commit made here is also held to all that `support/plan-model.ts` checks.
 * @module
 */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { type Files, type ModelCommit, PlanHistory } from './support/plan-model.js'
import { holds } from './support/property.js'

/** Paths a version wrote. */
function written({ planned }: ModelCommit): string[] {
  return planned.writes.map(({ path, leaf }) => (leaf.value === undefined ? `-${path}` : path))
}

/** What the content of a path has grown out of: the names of versions. */
function grownFrom(history: PlanHistory, { planned }: ModelCommit, path: string): string[] {
  const node = planned.writes.find((write) => write.path === path)?.leaf.node
  return (node?.parents ?? []).map(({ version }) => history.at(version).name)
}

describe('plan: streams', () => {
  it('is one for one line of commits', () => {
    const h = new PlanHistory()
    h.commit('1', '', { a: '1' })
    for (let i = 2; i < 20; i++) h.commit(String(i), String(i - 1), { a: String(i) })
    assert.equal(h.streams, 1)
  })

  it('are as many as there were branches at a time', () => {
    const h = new PlanHistory()
    h.commit('base', '', { a: '1' })
    for (let i = 0; i < 10; i++) {
      const from = i === 0 ? 'base' : `merge${i - 1}`
      h.commit(`left${i}`, from, { a: `left${i}` })
      h.commit(`right${i}`, from, { a: `right${i}` })
      h.commit(`merge${i}`, `left${i} right${i}`, { a: `left${i}` })
    }
    assert.equal(h.streams, 2)
  })

  it('of the first parent goes on where it can', () => {
    const h = new PlanHistory()
    h.commit('base', '', {})
    h.commit('left', 'base', {})
    h.commit('right', 'base', {})
    const merge = h.commit('merge', 'right left', {})
    assert.equal(merge.planned.slot, h.get('right').planned.slot)
    assert.notEqual(h.get('left').planned.slot, merge.planned.slot)
  })

  it('begins anew beside what is not known', () => {
    const h = new PlanHistory()
    h.commit('base', '', {})
    for (let i = 0; i < 5; i++) h.commit(`branch${i}`, 'base', {})
    assert.equal(h.streams, 5)
    h.commit('other root', '', {})
    assert.equal(h.streams, 6)
  })
})

describe('plan: files', () => {
  it('keep their identity through edits, modes and renames, with and without an edit', () => {
    const h = new PlanHistory()
    const born = h.file(h.commit('born', '', { a: '1' }), 'a')
    assert.ok(born !== undefined)
    assert.equal(h.file(h.commit('edited', 'born', { a: '2' }), 'a'), born)
    assert.equal(h.file(h.commit('executable', 'edited', { a: 'x2' }), 'a'), born)
    assert.equal(h.file(h.commit('moved', 'executable', { b: 'x2' }), 'b'), born)
    assert.equal(h.file(h.commit('moved far', 'moved', { 'c/d': '3' }, { 'c/d': 'b' }), 'c/d'), born)
    assert.deepEqual(born.nodes.length, 5)
  })

  it('are others where the content is only alike', () => {
    const h = new PlanHistory()
    h.commit('1', '', { a: '1' })
    const copied = h.commit('copied', '1', { a: '1', b: '1' })
    assert.notEqual(h.file(copied, 'a'), h.file(copied, 'b'))
    h.commit('gone', 'copied', { b: '1' })
    const again = h.commit('again', 'gone', { a: '9', b: '1' })
    assert.notEqual(h.file(again, 'a'), h.file(copied, 'a'))
  })

  it('become directories, and directories files', () => {
    const h = new PlanHistory()
    h.commit('file', '', { a: '1' })
    assert.deepEqual(written(h.commit('directory', 'file', { 'a/b': '2', 'a/c': '3' })), ['-a', 'a/b', 'a/c'])
    assert.deepEqual(written(h.commit('file again', 'directory', { a: '4' })), ['a', '-a/b', '-a/c'])
  })

  it('follow a rename where another file takes the old name', () => {
    const h = new PlanHistory()
    const before = h.commit('before', '', { a: '1', b: '2' })
    const after = h.commit('after', 'before', { a: '9', c: '1' }, { c: 'a' })
    assert.ok(h.file(after, 'c') !== undefined && h.file(after, 'a') !== h.file(after, 'c'))
    assert.deepEqual(Object.keys(after.files).length, Object.keys(before.files).length)
  })
})

describe('plan: merges', () => {
  /** Two branches of one base. */
  function fork(base: Files, left: Files, right: Files, renames: { left?: Files; right?: Files } = {}): PlanHistory {
    const h = new PlanHistory()
    h.commit('base', '', base)
    h.commit('left', 'base', left, renames.left)
    h.commit('right', 'base', right, renames.right)
    return h
  }

  it('write nothing where the sides touched different files', () => {
    const h = fork({ a: '1', b: '1' }, { a: '2', b: '1', c: '3' }, { a: '1', b: '2' })
    assert.deepEqual(written(h.commit('merge', 'left right', { a: '2', b: '2', c: '3' })), [])
    assert.deepEqual(written(h.commit('other way', 'right left', { a: '2', b: '2', c: '3' })), [])
  })

  it('write nothing where one side knows all of the other', () => {
    const h = fork({ a: '1' }, { a: '2' }, { a: '3' })
    h.commit('later', 'left', { a: '4' })
    assert.deepEqual(written(h.commit('merge', 'base later', { a: '4' })), [])
  })

  it('write what both sides edited, grown out of both, whatever came of it', () => {
    const outcomes = { both: '23', left: '2', right: '3', neither: '9' }
    for (const [name, content] of Object.entries(outcomes)) {
      const h = fork({ a: '1' }, { a: '2' }, { a: '3' })
      const merge = h.commit(name, 'left right', { a: content })
      assert.deepEqual(written(merge), ['a'], name)
      assert.deepEqual(grownFrom(h, merge, 'a'), ['left', 'right'], name)
      assert.equal(h.file(merge, 'a'), h.file(h.get('base'), 'a'), name)
    }
  })

  it('write what both sides edited alike', () => {
    const h = fork({ a: '1' }, { a: '2' }, { a: '2' })
    const merge = h.commit('merge', 'left right', { a: '2' })
    assert.deepEqual(written(merge), ['a'])
    assert.deepEqual(grownFrom(h, merge, 'a'), ['left', 'right'])
  })

  it('keep one of two files that were born at one path', () => {
    const h = fork({}, { a: '2' }, { a: '3' })
    const merge = h.commit('merge', 'left right', { a: '3' })
    assert.equal(h.file(merge, 'a'), h.file(h.get('right'), 'a'))
    assert.deepEqual(written(merge), ['a'])
    const evil = h.commit('evil', 'left right', { a: '9' })
    assert.ok([h.file(h.get('left'), 'a'), h.file(h.get('right'), 'a')].includes(h.file(evil, 'a')))
  })

  it('say what came of a file that one side edited and the other deleted', () => {
    const h = fork({ a: '1' }, { a: '2' }, {})
    const kept = h.commit('kept', 'left right', { a: '2' })
    assert.deepEqual(written(kept), ['a'])
    assert.equal(h.file(kept, 'a'), h.file(h.get('base'), 'a'))
    assert.deepEqual(written(h.commit('deleted', 'left right', {})), ['-a'])
  })

  it('delete what one side deleted and the other left alone', () => {
    const h = fork({ a: '1', b: '1' }, { a: '1', b: '2' }, { b: '1' })
    assert.deepEqual(written(h.commit('merge', 'left right', { b: '2' })), [])
    assert.deepEqual(written(h.commit('kept', 'left right', { a: '1', b: '2' })), ['a'])
  })

  it('join a rename and an edit', () => {
    const h = fork({ a: '1' }, { b: '1' }, { a: '2' })
    const merge = h.commit('merge', 'left right', { b: '2' })
    assert.equal(h.file(merge, 'b'), h.file(h.get('base'), 'a'))
    assert.deepEqual(grownFrom(h, merge, 'b'), ['left', 'right'])
    assert.deepEqual(written(merge), ['-a', 'b'])
  })

  it('join two renames of one file to one name, and part those to two names', () => {
    const same = fork({ a: '1' }, { b: '1' }, { b: '1' })
    const merged = same.commit('merge', 'left right', { b: '1' })
    assert.equal(same.file(merged, 'b'), same.file(same.get('base'), 'a'))

    const apart = fork({ a: '1' }, { b: '1' }, { c: '1' })
    const both = apart.commit('both', 'left right', { b: '1', c: '1' })
    assert.notEqual(apart.file(both, 'b'), apart.file(both, 'c'))
    const base = apart.file(apart.get('base'), 'a')
    assert.ok([apart.file(both, 'b'), apart.file(both, 'c')].includes(base))
    const one = apart.commit('one', 'left right', { b: '1' })
    assert.equal(apart.file(one, 'b'), base)
  })

  it('part a file that stayed on one side and moved on the other', () => {
    const h = fork({ a: '1' }, { a: '1' }, { b: '1' })
    const merge = h.commit('merge', 'left right', { a: '1', b: '1' })
    assert.notEqual(h.file(merge, 'a'), h.file(merge, 'b'))
  })

  it('know of an edit though the name has gone to another file since', () => {
    const h = fork({ a: '1' }, { a: '2' }, { b: '3' }, { right: { b: 'a' } })
    h.commit('without', 'left', {})
    h.commit('another', 'without', { a: '9' })
    const merge = h.commit('merge', 'another right', { a: '9', b: '3' })
    assert.deepEqual(grownFrom(h, merge, 'b'), ['left', 'right'])
  })

  it('join criss-cross', () => {
    const h = fork({ a: '1', b: '1' }, { a: '2', b: '1' }, { a: '1', b: '2' })
    h.commit('one', 'left right', { a: '2', b: '2' })
    h.commit('two', 'right left', { a: '3', b: '2' })
    h.commit('end', 'one two', { a: '3', b: '2' })
    h.commit('end again', 'two one', { a: '2', b: '4' })
  })

  it('join many at once', () => {
    const h = new PlanHistory()
    const base: Files = { a: '0', b: '0', c: '0', d: '0' }
    h.commit('base', '', base)
    for (const path of ['a', 'b', 'c']) h.commit(path, 'base', { ...base, [path]: '1', d: path })
    const merge = h.commit('octopus', 'a b c', { a: '1', b: '1', c: '1', d: 'b' })
    assert.deepEqual(written(merge), ['d'])
    assert.deepEqual(grownFrom(h, merge, 'd'), ['a', 'b', 'c'])
  })

  it('join histories that have nothing in common', () => {
    const h = new PlanHistory()
    h.commit('one', '', { a: '1', b: '1' })
    h.commit('two', '', { a: '2', c: '2' })
    assert.deepEqual(written(h.commit('merge', 'one two', { a: '1', b: '1', c: '2' })), ['a'])
  })

  it('bring in what neither side has', () => {
    const h = fork({ a: '1' }, { a: '2' }, { a: '1', b: '1' })
    const merge = h.commit('merge', 'left right', { a: '2', b: '1', evil: '1' })
    assert.deepEqual(written(merge), ['evil'])
  })
})

describe('plan: corrections', () => {
  const row = (path: string, mode: number, oid: string) => ({ path, from: undefined, mode, oid })

  it('give a written path another mode', () => {
    const h = new PlanHistory()
    h.commit('1', '', { a: '1' })
    const amended = h.amend([row('a', 0o100664, '1')], { a: '1' }, { a: 0o100664 })
    assert.deepEqual(written(amended), ['a'])
    assert.equal(amended.planned.writes[0]?.leaf.node?.mode, 0o100664)
  })

  it('write a path that the difference had left out, and take one away', () => {
    const h = new PlanHistory()
    h.commit('1', '', { a: '1', b: '1' })
    h.commit('2', '1', { a: '1', b: '1' })
    const amended = h.amend([row('a', 0o100755, 'x1'), row('b', 0, ''), row('c', 0o100644, '1')], { a: 'x1', c: '1' })
    assert.deepEqual(written(amended), ['a', '-b', 'c'])
    assert.equal(h.file(amended, 'a'), h.file(h.get('1'), 'a'))
    h.commit('3', '2', { a: '3', c: '1' })
  })
})

describe('plan: any history', () => {
  const path = fc.constantFrom('a', 'b', 'c', 'd/e', 'd/f', 'd')
  const content = fc.constantFrom('1', '2', '3', '4', 'x1')
  const change = fc.oneof(
    fc.record({ act: fc.constant('put'), path, content, to: path }),
    fc.record({ act: fc.constant('delete'), path, content, to: path }),
    fc.record({ act: fc.constant('move'), path, content, to: path }),
    fc.record({ act: fc.constant('move and edit'), path, content, to: path }),
    fc.record({ act: fc.constant('swap'), path, content, to: path }),
  )
  const step = fc.record({
    parents: fc.array(fc.nat(), { minLength: 1, maxLength: 3 }),
    changes: fc.array(change, { maxLength: 3 }),
    /** Where a merge's paths come from: for each path which parent's outcome is taken. */
    choices: fc.array(fc.nat(), { minLength: 5, maxLength: 5 }),
    rooted: fc.nat(15),
  })
  type Step = typeof step extends fc.Arbitrary<infer T> ? T : never

  function play(steps: readonly Step[]): PlanHistory {
    const h = new PlanHistory()
    for (const [i, { parents: picks, changes, choices, rooted }] of steps.entries()) {
      // From among the last few, so that branches live for a while and meet again.
      const parents = rooted === 0 ? [] : picks.flatMap((pick) => h.commits[i - 1 - (pick % Math.min(4, i))] ?? [])
      const distinct = [...new Set(parents)]
      const files = taken(distinct, choices)
      const renames: Record<string, string> = {}
      for (const { act, path: at, content: text, to } of changes) {
        const old = files[at]
        if (act === 'put') files[at] = text
        if (act === 'delete' || act.startsWith('move')) delete files[at]
        if (act === 'swap' && old !== undefined && files[to] !== undefined) {
          files[at] = files[to]
          files[to] = old
        }
        if (act.startsWith('move') && old !== undefined) {
          files[to] = act === 'move' ? old : text
          if (at !== to) renames[to] = at
        }
      }
      const before = distinct[0]?.files ?? {}
      const real = Object.entries(renames).filter(([to, from]) => !(to in before) && from in before && !(from in files))
      // git finds one rename per file that is gone.
      const sources = new Set<string>()
      const once = real.filter(([, from]) => !sources.has(from) && sources.add(from))
      h.add(String(i + 1), distinct, files, Object.fromEntries(once))
    }
    return h
  }

  /** For each path the outcome of one of the parents. */
  function taken(parents: readonly ModelCommit[], choices: readonly number[]): Record<string, string> {
    const files: Record<string, string> = {}
    const paths = [...new Set(parents.flatMap((parent) => Object.keys(parent.files)))].sort()
    for (const [i, each] of paths.entries()) {
      const from = parents[(choices[i % choices.length] as number) % parents.length] as ModelCommit
      const text = from.files[each]
      if (text !== undefined) files[each] = text
    }
    return files
  }

  it('is planned so that the last touch of every path knows all others', () => {
    holds(
      fc.property(fc.array(step, { maxLength: 25, size: 'max' }), (steps) => void play(steps)),
      1500,
    )
  })

  it('is planned so that nobody writes what the join gives anyway', () => {
    holds(
      fc.property(fc.array(step, { maxLength: 12, size: 'max' }), (steps) => {
        for (const { parents, files, planned, name } of play(steps).commits) {
          const [parent, ...others] = parents
          if (parent === undefined || others.length > 0) continue
          const changed = Object.keys({ ...parent.files, ...files }).filter(
            (each) => parent.files[each] !== files[each],
          )
          assert.deepEqual(
            planned.writes.map((write) => write.path),
            changed.sort(),
            name,
          )
        }
      }),
    )
  })
})
