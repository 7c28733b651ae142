/**
 * Trees against the obvious oracle: a map from paths to leaves.
 * @module
 */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { fromLatin1, toHex, toLatin1 } from '../src/base/bytes.js'
import { defaultCrypto as crypto } from '../src/crypto/default.js'
import { joinSides } from '../src/history/joined-sides.js'
import {
  compareTrees,
  emptyTree,
  getPath,
  type Leaf,
  listTree,
  setPath,
  type Tree,
  treeRoot,
} from '../src/history/tree.js'
import { Vector } from '../src/lseq/vector.js'
import { TlvWriter } from '../src/rdx/tlv.js'
import { holds } from './support/property.js'

type Oracle = ReadonlyMap<string, Leaf>

/** Paths that are often in each other's way: one is a file and a directory, names around `/` in byte order. */
const path = fc
  .array(fc.constantFrom('a', 'b', 'a.c', 'a0', '\xff\n', 'x'.repeat(300)), { minLength: 1, maxLength: 3 })
  .map((parts) => parts.join('/'))

/** One write: what goes where; undefined deletes. */
const write = fc.tuple(path, fc.option(fc.constantFrom('v1', 'v2', 'v3'.repeat(200)), { nil: undefined }))
const writes = fc.array(write, { maxLength: 25 })

/** Writes one after the other; the n-th is the touch `first + n`. */
function build(
  list: readonly (readonly [path: string, value: string | undefined])[],
  first = 1,
  from: { tree: Tree<Leaf>; map: Oracle } = { tree: emptyTree(), map: new Map() },
): { tree: Tree<Leaf>; map: Map<string, Leaf> } {
  let { tree } = from
  const map = new Map(from.map)
  for (const [i, [at, value]] of list.entries()) {
    const leaf: Leaf = { touch: first + i, value }
    tree = setPath(tree, at, leaf)
    map.set(at, leaf)
  }
  return { tree, map }
}

/** Byte order of the components, a file before the directory of its name. */
function byComponents(a: string, b: string): number {
  const [x, y] = [a.split('/'), b.split('/')]
  const at = x.findIndex((part, i) => part !== y[i])
  if (at < 0 || at >= y.length) return x.length - y.length
  return (x[at] as string) < (y[at] as string) ? -1 : 1
}

/** The root by the book: every directory's entries in byte order of their names, hashed from the bottom up. */
function slowRoot(map: Oracle): string {
  const present = [...map].flatMap(([at, { value }]): [string[], string][] =>
    value === undefined ? [] : [[at.split('/'), value]],
  )
  return toHex(crypto.sha256(directory(present)))
}

function directory(entries: readonly [parts: string[], value: string][]): Uint8Array {
  const out = new TlvWriter()
  for (const name of [...new Set(entries.map(([[first]]) => first as string))].sort()) {
    const here = entries.filter(([[first]]) => first === name)
    for (const [, value] of here.filter(([parts]) => parts.length === 1)) {
      out.begin('F').latin1('N', name).raw(fromLatin1(value)).end()
    }
    const below = here.filter(([parts]) => parts.length > 1)
    if (below.length === 0) continue
    const inner = directory(below.map(([parts, value]) => [parts.slice(1), value]))
    out.begin('D').latin1('N', name).record('H', crypto.sha256(inner)).end()
  }
  return out.copy()
}

const rootOf = (tree: Tree<Leaf>): string => toHex(fromLatin1(treeRoot(tree)))

describe('tree: paths', () => {
  it('are there as they were set, deleted ones too', () => {
    holds(
      fc.property(writes, fc.array(path), (list, others) => {
        const { tree, map } = build(list)
        for (const [at, leaf] of map) assert.equal(getPath(tree, at), leaf)
        for (const at of others) assert.equal(getPath(tree, at), map.get(at))
        assert.equal(getPath(tree, ''), undefined)
      }),
    )
  })

  it('are listed in order, without deleted ones', () => {
    holds(
      fc.property(writes, (list) => {
        const { tree, map } = build(list)
        const present = [...map].filter(([, { value }]) => value !== undefined)
        assert.deepEqual(
          [...listTree(tree)],
          present.sort(([a], [b]) => byComponents(a, b)),
        )
      }),
    )
  })

  it('of a tree stay when another is made of it', () => {
    holds(
      fc.property(writes, writes, (list, more) => {
        const before = build(list)
        build(more, 100, before)
        for (const [at, leaf] of before.map) assert.equal(getPath(before.tree, at), leaf)
        assert.equal([...listTree(before.tree)].length, [...before.map.values()].filter((leaf) => leaf.value).length)
        assert.equal(rootOf(before.tree), slowRoot(before.map))
      }),
    )
  })

  it('share the directories that nobody touched', () => {
    const { tree } = build([
      ['a/b/c', 'v'],
      ['a/d/e', 'v'],
      ['f/g', 'v'],
    ])
    const changed = setPath(tree, 'a/b/c', { touch: 9, value: 'w' })
    const dir = (of: Tree<Leaf>, ...names: string[]): unknown =>
      names.reduce((at, name) => at.dirs[at.dirNames.indexOf(name)] as Tree<Leaf>, of)
    assert.equal(dir(changed, 'f'), dir(tree, 'f'))
    assert.equal(dir(changed, 'a', 'd'), dir(tree, 'a', 'd'))
    assert.notEqual(dir(changed, 'a', 'b'), dir(tree, 'a', 'b'))
  })
})

describe('tree: root', () => {
  it('is that of the book', () => {
    holds(
      fc.property(writes, writes, (list, more) => {
        const { tree, map } = build(list)
        assert.equal(rootOf(tree), slowRoot(map))
        // The second time with the roots of untouched directories at hand.
        const after = build(more, 100, { tree, map })
        assert.equal(rootOf(after.tree), slowRoot(after.map))
        assert.equal(rootOf(tree), slowRoot(map))
      }),
      150,
    )
  })

  it('does not depend on the order of writes, nor on what was there before', () => {
    holds(
      fc.property(fc.uniqueArray(write, { selector: ([at]) => at }), fc.nat(), writes, (list, turn, before) => {
        const { tree } = build(list)
        const at = list.length === 0 ? 0 : turn % list.length
        const turned = build([...list.slice(at), ...list.slice(0, at)].toReversed())
        assert.equal(rootOf(turned.tree), rootOf(tree))
        const first = build(before)
        const cleared = build(
          [...first.map.keys()].map((each) => [each, undefined]),
          100,
          first,
        )
        assert.equal(rootOf(build(list, 200, cleared).tree), rootOf(tree))
      }),
    )
  })

  it('of nothing is the hash of nothing', () => {
    const nothing = toHex(crypto.sha256(new Uint8Array(0)))
    assert.equal(rootOf(emptyTree()), nothing)
    assert.equal(rootOf(build([['a/b/c', undefined]]).tree), nothing)
  })

  it('tells apart what differs: content, name, place', () => {
    const lists: [string, string | undefined][][] = [
      [['a', 'v1']],
      [['a', 'v2']],
      [['b', 'v1']],
      [['a/a', 'v1']],
      [
        ['a', 'v1'],
        ['a/a', 'v1'],
      ],
    ]
    assert.equal(new Set(lists.map((list) => rootOf(build(list).tree))).size, lists.length)
  })
})

describe('tree: comparison', () => {
  it('finds every path at which two trees differ, once', () => {
    holds(
      fc.property(writes, writes, writes, (base, left, right) => {
        const common = build(base)
        const a = build(left, 100, common)
        const b = build(right, 200, common)
        const found = new Map<string, readonly [unknown, unknown]>()
        compareTrees(a.tree, b.tree, (at, x, y) => {
          assert.ok(!found.has(at), `${at} twice`)
          found.set(at, [x, y])
        })
        const paths = [...new Set([...a.map.keys(), ...b.map.keys()])].filter((at) => a.map.get(at) !== b.map.get(at))
        assert.deepEqual([...found.keys()].sort(), paths.sort())
        for (const [at, [x, y]] of found) {
          assert.equal(x, a.map.get(at))
          assert.equal(y, b.map.get(at))
        }
      }),
    )
  })

  it('walks only where trees differ', () => {
    const many: [string, string][] = Array.from({ length: 5000 }, (_, i) => [`${i % 50}/${i % 500}/${i}`, 'v'])
    const { tree } = build(many)
    const changed = setPath(tree, '7/7/7', { touch: 9999, value: 'w' })
    let reads = 0
    const watched = new WeakMap<Tree<Leaf>, Tree<Leaf>>()
    // One watcher per directory, so that what is shared stays the same object.
    const watch = (dir: Tree<Leaf>): Tree<Leaf> => {
      const known = watched.get(dir)
      if (known !== undefined) return known
      const get = (target: Tree<Leaf>, name: keyof Tree<Leaf>): unknown => {
        reads++
        return name === 'dirs' ? target.dirs.map(watch) : target[name]
      }
      const watcher = new Proxy(dir, { get })
      watched.set(dir, watcher)
      return watcher
    }
    const found: string[] = []
    compareTrees(watch(tree), watch(changed), (at) => found.push(at))
    assert.deepEqual(found, ['7/7/7'])
    assert.ok(reads < 50, `${reads} reads of directories, where 3 of ${50 + 500} differ`)
  })
})

/** Joins trees of which neither knows of the other. */
function joinTrees(...trees: readonly Tree<Leaf>[]): Tree<Leaf> {
  const order = { covers: () => false, isLater: (leaf: Leaf, other: Leaf) => leaf.touch > other.touch }
  const sides = trees.map((tree) => ({ tree, vector: Vector.empty }))
  return joinSides(sides, order).tree
}

describe('tree: join', () => {
  it('takes the later touch of every path', () => {
    holds(
      fc.property(writes, writes, writes, (base, left, right) => {
        const common = build(base)
        const a = build(left, 100, common)
        const b = build(right, 110, common)
        const expected = new Map(a.map)
        for (const [at, leaf] of b.map) {
          const mine = expected.get(at)
          if (mine === undefined || mine.touch < leaf.touch) expected.set(at, leaf)
        }
        const joined = joinTrees(a.tree, b.tree)
        for (const [at, leaf] of expected) assert.equal(getPath(joined, at), leaf)
        assert.equal(rootOf(joined), slowRoot(expected))
      }),
    )
  })

  it('with a tree that knows nothing new is the tree itself', () => {
    holds(
      fc.property(writes, writes, (list, more) => {
        const before = build(list)
        const after = build(more, 100, before)
        assert.equal(joinTrees(after.tree, before.tree), after.tree)
        assert.equal(joinTrees(after.tree, emptyTree()), after.tree)
        assert.equal(rootOf(joinTrees(before.tree, after.tree)), rootOf(after.tree))
        assert.equal(toLatin1(fromLatin1(treeRoot(joinTrees(emptyTree<Leaf>(), after.tree)))), treeRoot(after.tree))
      }),
    )
  })
})
