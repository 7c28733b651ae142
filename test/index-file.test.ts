/**
 * The index of a work tree: what is written is read, changes keep what they do not touch, and no bytes harm the reader.
 * @module
 */
import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { crc32 } from 'node:zlib'
import fc from 'fast-check'
import { toLatin1 } from '../src/base/bytes.js'
import { CodedError } from '../src/base/error.js'
import { encodePathPut } from '../src/history/path-entry.js'
import { emptyTree, type Leaf, listTree, setPath, type Tree, treeRoot } from '../src/history/tree.js'
import { type Tracked, WorkIndex } from '../src/worktree/index-file.js'
import { golden } from './support/golden.js'
import { holds } from './support/property.js'
import { emptyWorkTree } from './support/work-tree.js'

const BASE = { seq: 9, stream: 0xabcdef, id: new Uint8Array(32).fill(7) }

const names = fc.constantFrom(
  'a',
  'b',
  'c',
  'a-',
  'a.b',
  'a0',
  'Z',
  '\xff',
  '\xc3\xa9',
  'x\ny',
  '"q"',
  ' ',
  'long'.repeat(20),
)
const paths = fc.array(names, { minLength: 1, maxLength: 4 }).map((parts) => parts.join('/'))

const stat = fc.option(
  fc.record({ mtime: fc.integer({ min: 1, max: 1e12 }), ctime: fc.integer({ min: 1, max: 1e12 }), inode: fc.nat() }),
  { nil: undefined },
)
const value = fc.record({
  mode: fc.constantFrom(0o100644, 0o100755, 0o120000, 0o160000, 0o100664, 0),
  file: fc.record({ seq: fc.integer({ min: 0, max: 2 ** 40 - 1 }), stream: fc.integer({ min: 0, max: 2 ** 24 - 1 }) }),
  size: fc.maxSafeNat(),
  sha256: fc.uint8Array({ minLength: 32, maxLength: 32 }),
  chunked: fc.boolean(),
  stat,
})
type Value = typeof value extends fc.Arbitrary<infer T> ? T : never

function tracked(path: string, { stat, ...rest }: Value): Tracked {
  return { path, ...rest, file: { ...rest.file }, stat: stat && { ...stat, size: rest.size } }
}

/** Paths with what stands there. */
const contents = fc
  .array(fc.tuple(paths, value), { maxLength: 30 })
  .map((list) => new Map(list.map(([path, one]) => [path, tracked(path, one)])))

function sorted(map: ReadonlyMap<string, Tracked | undefined>): Tracked[] {
  const present = [...map.values()].filter((one) => one !== undefined)
  return present.sort((a, b) => (a.path < b.path ? -1 : 1))
}

function plain(entries: Iterable<Tracked>): unknown[] {
  return [...entries].map((one) => ({ ...one, sha256: Buffer.from(one.sha256).toString('hex') }))
}

function leaf(one: Tracked): Leaf {
  return { touch: 1, value: toLatin1(encodePathPut(one)) }
}

function fullTree(map: ReadonlyMap<string, Tracked | undefined>): Tree<Leaf> {
  let tree = emptyTree<Leaf>()
  for (const one of sorted(map)) tree = setPath(tree, one.path, leaf(one))
  return tree
}

function assertSame(index: WorkIndex, expected: ReadonlyMap<string, Tracked | undefined>): void {
  assert.deepEqual(plain(index.all()), plain(sorted(expected)))
  for (const [path, one] of expected) assert.equal(index.find(path) >= 0, one !== undefined, path)
  for (const path of ['', 'b', 'a/b', 'a/', 'zz', 'a/b/c']) {
    if (!expected.has(path)) assert.equal(index.find(path), -1, path)
    const below = sorted(expected).filter((one) => path === '' || `${one.path}/`.startsWith(`${path}/`))
    assert.deepEqual(plain(index.below(path)), plain(below), path)
  }
}

describe('an index', () => {
  it('gives back what it was built from, and through its file', () => {
    holds(
      fc.property(contents, (map) => {
        const index = WorkIndex.build(BASE, sorted(map))
        assertSame(index, map)
        const again = WorkIndex.decode(index.encode())
        assertSame(again, map)
        assert.deepEqual(again.base, BASE)
        assert.equal(Buffer.from(again.encode()).equals(index.encode()), true)
      }),
    )
  })

  it('with changes is what would be built from all of it, roots of directories included', () => {
    holds(
      fc.property(contents, contents, fc.array(fc.nat()), (map, puts, deletes) => {
        const index = WorkIndex.build(BASE, sorted(map))
        index.encode()
        const changes = new Map<string, Tracked | undefined>(puts)
        for (const n of deletes) {
          const path = [...map.keys()][n % map.size]
          if (path !== undefined) changes.set(path, undefined)
        }
        const expected = new Map<string, Tracked | undefined>([...map, ...changes])
        const next = index.with(undefined, changes)
        assertSame(next, expected)
        assert.equal(next.base, undefined)
        assert.equal(next.treeRoot(), treeRoot(fullTree(expected)))
        const built = WorkIndex.build(undefined, sorted(expected))
        assert.equal(Buffer.from(next.encode()).equals(built.encode()), true)
        assertSame(index, map)
      }),
    )
  })

  it('has the tree of some paths, whose root is that of the whole tree after changes there', () => {
    holds(
      fc.property(contents, contents, fc.array(fc.nat(), { maxLength: 3 }), (map, puts, deletes) => {
        const index = WorkIndex.build(BASE, sorted(map))
        const touched = new Map<string, Leaf>([...puts].map(([path, one]) => [path, leaf(one)]))
        for (const n of deletes) {
          const path = [...map.keys()][n % map.size]
          if (path !== undefined) touched.set(path, { touch: 2, value: undefined })
        }
        let part = index.treeFor(touched.keys())
        let full = fullTree(map)
        for (const [path, one] of touched) {
          part = setPath(part, path, { ...one })
          full = setPath(full, path, { ...one })
        }
        assert.equal(treeRoot(part), treeRoot(full))
      }),
    )
  })

  it('holds only the directories on the way, which are few', () => {
    const map = new Map<string, Tracked>()
    const one = { mode: 0o100644, file: { seq: 1, stream: 1 }, size: 1, sha256: new Uint8Array(32), chunked: false }
    for (let i = 0; i < 100; i++) map.set(`d${i % 10}/f${i}`, { path: `d${i % 10}/f${i}`, ...one, stat: undefined })
    const index = WorkIndex.build(undefined, sorted(map))
    assert.equal([...listTree(index.treeFor(['d3/f3']))].length, 10)
  })

  it('refuses paths out of order', () => {
    const one = { mode: 0o100644, file: { seq: 1, stream: 1 }, size: 1, sha256: new Uint8Array(32), chunked: false }
    const entry = (path: string): Tracked => ({ path, ...one, stat: undefined })
    assert.throws(() => WorkIndex.build(undefined, [entry('b'), entry('a')]), RangeError)
    assert.throws(() => WorkIndex.build(undefined, [entry('a'), entry('a')]), RangeError)
  })
})

describe('an index file', () => {
  const sample = (): WorkIndex => {
    const one = { mode: 0o100644, file: { seq: 1, stream: 1 }, size: 1, sha256: new Uint8Array(32), chunked: false }
    const stat = { mtime: 5000, ctime: 6000, inode: 7, size: 1 }
    const of = ['a', 'b/c', 'b/d/e', 'f'].map((path) => ({ path, ...one, stat }))
    return WorkIndex.build(BASE, of)
  }

  it('is written and read', () => {
    const root = emptyWorkTree()
    assert.equal(WorkIndex.read(root), undefined)
    const index = sample()
    index.write(root)
    assert.deepEqual(plain(WorkIndex.read(root)?.all() ?? []), plain(index.all()))
  })

  it('is not replaced by what was made from an older one', () => {
    const root = emptyWorkTree()
    sample().write(root)
    const older = WorkIndex.read(root) as WorkIndex
    assert.equal(older.with(BASE, new Map()).writeUnlessChanged(root, older), true)
    assert.equal(older.with(BASE, new Map()).writeUnlessChanged(root, older), false)
    const newer = WorkIndex.read(root) as WorkIndex
    writeFileSync(join(root, '.weft', 'index.lock'), `${process.pid} x\n`)
    assert.equal(newer.with(BASE, new Map()).writeUnlessChanged(root, newer), false)
    writeFileSync(join(root, '.weft', 'index.lock'), '999999999 x\n')
    assert.equal(newer.with(BASE, new Map()).writeUnlessChanged(root, newer), true)
  })

  it('with any byte changed is damaged, and never anything else', () => {
    const root = emptyWorkTree()
    sample().write(root)
    const bytes = readFileSync(join(root, '.weft', 'index'))
    for (let at = 0; at < bytes.length; at++) {
      const copy = Uint8Array.from(bytes)
      copy[at] = (copy[at] as number) ^ 0x55
      assert.throws(() => WorkIndex.decode(copy), isDamage, `byte ${at}`)
      assert.throws(() => WorkIndex.decode(bytes.subarray(0, at)), isDamage, `${at} bytes`)
    }
  })
})

describe('a hostile index file', () => {
  it('whose checksum is right is read or damaged, and does not harm whoever reads on', () => {
    const flips = fc.array(fc.tuple(fc.nat(), fc.nat(255)), { minLength: 1, maxLength: 4 })
    const words = fc.array(fc.tuple(fc.nat(), fc.constantFrom(0, 1, 2, 3, 0xff, 0x7fffffff, 0xffffffff)), {
      maxLength: 3,
    })
    let read = 0
    holds(
      fc.property(contents, flips, words, (map, bytes, numbers) => {
        const file = Uint8Array.from(WorkIndex.build(BASE, sorted(map)).encode())
        for (const [at, byte] of bytes) file[16 + (at % (file.length - 16))] = byte
        const words = new Uint32Array(file.buffer, 0, file.length >>> 2)
        for (const [at, word] of numbers) words[4 + (at % (words.length - 4))] = word
        words[3] = crc32(file.subarray(16))
        try {
          const index = WorkIndex.decode(file)
          read++
          const all = [...index.all()]
          for (const { path } of all) {
            assert.doesNotMatch(path, /\0|(^|\/)\.{0,2}(\/|$)/)
            index.find(path)
          }
          index.treeRoot()
          index.with(undefined, new Map([['a/b', undefined]])).encode()
        } catch (error) {
          // Entries out of order are no damage to the reader, but nothing can be made of them.
          if (!(error instanceof RangeError && error.message.startsWith('path: ')))
            assert.ok(isDamage(error), String(error))
        }
      }),
      2000,
    )
    assert.ok(read > 0)
  })
})

describe('the format of an index file', () => {
  it('is that of the golden file', () => {
    const one = { file: { seq: 0x123456789, stream: 0xabcdef }, size: 12, sha256: new Uint8Array(32).fill(0x5a) }
    const stat = { mtime: 1_700_000_000_000.25, ctime: 1_700_000_000_001, inode: 42, size: 12 }
    const index = WorkIndex.build(BASE, [
      { path: 'README', mode: 0o100644, ...one, chunked: false, stat },
      { path: 'src/a.c', mode: 0o100755, ...one, chunked: false, stat: undefined },
      { path: 'src/deep/logo', mode: 0o100644, ...one, chunked: true, stat },
      { path: 'src/link', mode: 0o120000, ...one, chunked: false, stat: undefined },
    ])
    golden('work tree index', index.encode())
  })
})

function isDamage(error: unknown): boolean {
  return error instanceof CodedError && error.code === 'INDEX_DAMAGED'
}
