/**
 * The values of entries that are not versions: groups, geneses, paths, refs, tombstones. Each has one form.
 * @module
 */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { concatBytes, fromLatin1, toHex, toLatin1 } from '../src/base/bytes.js'
import { defaultCrypto as crypto } from '../src/crypto/default.js'
import { merkleRootDigest } from '../src/crypto/merkle.js'
import {
  beginRepository,
  beginStream,
  decodeGenesis,
  type Genesis,
  NONCE_BYTES,
  repositoryId,
  type StreamKind,
} from '../src/history/genesis.js'
import { changesRoot, decodeGroups, encodeGroups, type Group, sortGroups } from '../src/history/groups.js'
import {
  decodePathEntry,
  encodePathDelete,
  encodePathPut,
  type PathEntry,
  type PathPut,
} from '../src/history/path-entry.js'
import { decodeRefValue, encodeRefValue, isDeletion, type RefValue } from '../src/history/refs.js'
import { decodeOrigins, encodeOrigins, holdsOrigins } from '../src/lines/origin.js'
import { decodeRanges, encodeRanges } from '../src/lines/tombstone.js'
import { type Lseq, SEQ_LIMIT } from '../src/lseq/lseq.js'
import { TlvReader } from '../src/rdx/tlv.js'
import { holdsCanonical } from './support/canonical.js'
import { golden } from './support/golden.js'
import { plain } from './support/plain.js'
import { anyBytes, holds } from './support/property.js'

const lseq: fc.Arbitrary<Lseq> = fc.record(
  { seq: fc.oneof(fc.nat(5), fc.nat(SEQ_LIMIT - 1)), stream: fc.oneof(fc.nat(3), fc.nat(0xffffff)) },
  { noNullPrototype: true },
)
const digest = fc.oneof(fc.constant(new Uint8Array(32)), fc.uint8Array({ minLength: 32, maxLength: 32 }))

describe('groups', () => {
  const named = fc.tuple(fc.constantFrom('B', 'C', 'L', 'Pa', 'Pa/b', 'P\xff\n', 'Rbmain'), digest)
  const groups = fc
    .uniqueArray(named, { selector: ([name]) => name, minLength: 1 })
    .map((pairs) => sortGroups(pairs.map(([name, bytes]) => ({ name, digest: toLatin1(bytes) }))))
  const example: Group[] = [
    { name: 'L\0\0\0\0\x29\xab\xcd\xef', digest: `\x01\x02\x03\x04${'\0'.repeat(28)}` },
    { name: 'Pcaf\xe9', digest: '\xff'.repeat(32) },
  ]

  it('are written as they always were', () => {
    const listed = decodeGroups(golden('groups', encodeGroups(example)))
    assert.deepEqual(listed, [
      { name: example[0]?.name, prefix: '\x01\x02\x03\x04' },
      { name: example[1]?.name, prefix: '\xff\xff\xff\xff' },
    ])
  })

  it('come back by name, in order', () => {
    holds(
      fc.property(groups, (list) => {
        const listed = list.map(({ name, digest: whole }) => ({ name, prefix: whole.slice(0, 4) }))
        assert.deepEqual(decodeGroups(encodeGroups(list)), listed)
      }),
    )
  })

  it('have one form', () => {
    holdsCanonical(
      decodeGroups,
      (listed) => encodeGroups(listed.map(({ name, prefix }) => ({ name, digest: prefix.padEnd(32, '\0') }))),
      groups.map(encodeGroups),
    )
  })

  const list = (...names: string[]): Uint8Array =>
    encodeGroups(names.map((name) => ({ name, digest: '\0'.repeat(32) })))
  const refused: [name: string, value: Uint8Array][] = [
    ['none: a version that adds nothing has no such entry', new Uint8Array(0)],
    ['two of one name', list('Pa', 'Pa')],
    ['two out of order', list('Pb', 'Pa')],
    ['a short digest', fromLatin1('n\x02Pa\x33abc')],
    ['a digest in another form than the shortest', fromLatin1('n\x02Pad\x04abcd')],
  ]
  for (const [name, value] of refused)
    it(`refuses ${name}`, () => assert.throws(() => decodeGroups(value), { code: 'BAD_RECORD' }))

  it('have a root that stands for their names, digests and order', () => {
    holds(
      fc.property(groups, (all) => {
        const root = changesRoot(all)
        const leaves = all.map(({ name, digest: whole }) => {
          const size = Buffer.alloc(4)
          size.writeUInt32BE(name.length)
          return crypto.sha256Binary(concatBytes(Uint8Array.of(0), size, fromLatin1(name + whole)))
        })
        assert.equal(root, merkleRootDigest(leaves))
        for (const [i, group] of all.entries()) {
          const renamed = all.with(i, { ...group, name: `${group.name}x` })
          const other = all.with(i, { ...group, digest: `${group.digest.slice(1)}x` })
          for (const not of [renamed, other, all.toSpliced(i, 1)]) assert.notEqual(changesRoot(not), root)
        }
      }),
    )
    assert.equal(changesRoot([]), crypto.sha256Binary(new Uint8Array(0)))
  })
})

describe('genesis', () => {
  const nonce = (byte: number): Uint8Array => new Uint8Array(NONCE_BYTES).fill(byte)
  const publicKey = new Uint8Array(32).fill(7)
  const none = (): boolean => false
  const repository = new Uint8Array(32).fill(9)
  const begin = (kind: StreamKind, byte = 1): Genesis =>
    beginStream(repository, publicKey, kind, () => nonce(byte), none)

  it('of a stream is written as it always was', () => {
    assert.deepEqual(plain(decodeGenesis(golden('genesis', begin('content').value))), plain(begin('content')))
    assert.deepEqual(
      plain(decodeGenesis(golden('genesis of a refs stream', begin('refs').value))),
      plain(begin('refs')),
    )
  })

  it('of a repository is written as it always was', () => {
    const value = golden('genesis of a repository', beginRepository(nonce.bind(undefined, 2)))
    assert.equal(toHex(repositoryId(value)), toHex(crypto.sha256(value)))
  })

  it('gives a stream the first three bytes of its hash for an id', () => {
    const { stream, id, kind, value } = begin('refs')
    assert.equal(toHex(id), toHex(crypto.sha256(value)))
    assert.equal(stream, Number.parseInt(toHex(id.subarray(0, 3)), 16))
    assert.equal(kind, 'refs')
    assert.notEqual(begin('content').stream, stream)
    assert.notEqual(begin('refs', 2).stream, stream)
  })

  it('takes another nonce where a stream id is taken', () => {
    const taken = new Set([1, 2, 3].map((byte) => begin('content', byte).stream))
    let asked = 0
    const { stream } = beginStream(
      repository,
      publicKey,
      'content',
      () => nonce(++asked),
      (id) => taken.has(id),
    )
    assert.equal(asked, 4)
    assert.equal(stream, begin('content', 4).stream)
  })

  it('has one form', () => {
    const valid = fc
      .tuple(fc.constantFrom<StreamKind>('content', 'refs'), fc.nat(255))
      .map(([kind, byte]) => begin(kind, byte).value)
    const encode = ({ repository: of, publicKey: key, kind, value }: Genesis): Uint8Array => {
      const reader = new TlvReader(value)
      reader.expect('V')
      reader.expect('R')
      reader.expect('K')
      const random = reader.expect('N')
      return beginStream(of, key, kind, () => random, none).value
    }
    const codes = ['BAD_RECORD', 'FORMAT_NEWER']
    holdsCanonical(decodeGenesis, encode, valid, { codes })
    holdsCanonical(
      (value) => {
        repositoryId(value)
        return value
      },
      (value) => beginRepository(() => value.subarray(-NONCE_BYTES)),
      fc.nat(255).map((byte) => beginRepository(() => nonce(byte))),
      { codes },
    )
  })
})

describe('path entry', () => {
  const put: fc.Arbitrary<PathPut> = fc.record(
    {
      mode: fc.constantFrom(0o100644, 0o100755, 0o120000, 0o160000, 0o100664, 0),
      file: lseq,
      size: fc.oneof(fc.nat(300), fc.nat(Number.MAX_SAFE_INTEGER)),
      sha256: digest,
      chunked: fc.boolean(),
    },
    { noNullPrototype: true },
  )
  const encode = (entry: PathEntry): Uint8Array => {
    return 'deleted' in entry ? encodePathDelete(entry.deleted) : encodePathPut(entry)
  }
  const example: PathPut = {
    mode: 0o100644,
    file: { seq: 41, stream: 0xabcdef },
    size: 1000,
    sha256: new Uint8Array(32).fill(5),
    chunked: false,
  }

  it('is written as it always was', () => {
    const cases: [name: string, entry: PathEntry][] = [
      ['path entry', example],
      ['path entry of chunks', { ...example, mode: 0o120000, size: 0, chunked: true }],
      ['path entry of a deletion', { deleted: example.file }],
    ]
    for (const [name, entry] of cases) {
      assert.deepEqual(plain(decodePathEntry(golden(name, encode(entry)))), plain(entry))
    }
  })

  it('comes back', () => {
    const entry = fc.oneof<fc.Arbitrary<PathEntry>[]>(
      put,
      lseq.map((deleted) => ({ deleted })),
    )
    holds(fc.property(entry, (each) => assert.deepEqual(plain(decodePathEntry(encode(each))), plain(each))))
  })

  it('has one form', () => {
    const valid = fc.oneof(put.map(encodePathPut), lseq.map(encodePathDelete))
    holdsCanonical(decodePathEntry, encode, valid)
  })
})

describe('ref value', () => {
  const ascending = fc
    .uniqueArray(lseq, { maxLength: 3, selector: ({ seq, stream }) => seq * 2 ** 8 + stream })
    .map((list) => list.sort((a, b) => a.seq - b.seq || a.stream - b.stream))
  const values: fc.Arbitrary<RefValue> = fc.record(
    {
      replaces: ascending,
      version: fc.option(fc.record({ seq: fc.nat(9), stream: fc.nat(9), id: digest }, { noNullPrototype: true }), {
        nil: undefined,
      }),
      gitTags: fc.option(fc.array(anyBytes(300), { minLength: 1, maxLength: 3 }), { nil: undefined }),
      gitObject: fc.option(
        fc.record({ type: fc.constantFrom('', 'tree', 'blob'), content: anyBytes(20) }, { noNullPrototype: true }),
        { nil: undefined },
      ),
      vector: fc.option(
        fc
          .uniqueArray(lseq, { maxLength: 3, selector: ({ stream }) => stream })
          .map((list) => list.sort((a, b) => a.stream - b.stream)),
        { nil: undefined },
      ),
    },
    { noNullPrototype: true },
  )
  const replaces = [
    { seq: 5, stream: 9 },
    { seq: 6, stream: 1 },
  ]

  it('is written as it always was', () => {
    const version = { seq: 41, stream: 0xabcdef, id: new Uint8Array(32).fill(6) }
    const gitTags = [fromLatin1('object ...\n'), fromLatin1('outer')]
    const cases: [name: string, value: RefValue][] = [
      ['ref: branch', { replaces, version }],
      ['ref: annotated tag', { replaces: [], version, gitTags }],
      ['ref: tag of a tree', { replaces: [], gitObject: { type: 'tree', content: Uint8Array.of(0, 1) } }],
      [
        'ref: snapshot',
        { replaces: [], vector: [{ seq: 7, stream: 2 }, version].map(({ seq, stream }) => ({ seq, stream })) },
      ],
      ['ref: deletion', { replaces }],
    ]
    for (const [name, value] of cases) {
      const decoded = decodeRefValue(golden(name, encodeRefValue(value)))
      assert.deepEqual(plain(decoded), plain(value))
      assert.equal(isDeletion(decoded), name === 'ref: deletion')
    }
  })

  it('comes back', () => {
    holds(fc.property(values, (value) => assert.deepEqual(plain(decodeRefValue(encodeRefValue(value))), plain(value))))
  })

  it('is the same in whatever order its parts are given', () => {
    const vector = replaces.toReversed()
    const turned = encodeRefValue({ replaces: replaces.toReversed(), vector })
    assert.equal(toHex(turned), toHex(encodeRefValue({ replaces, vector: vector.toReversed() })))
  })

  it('has one form', () => holdsCanonical(decodeRefValue, encodeRefValue, values.map(encodeRefValue)))

  it('names what it replaces once, in order', () => {
    const one = encodeRefValue({ replaces: replaces.slice(0, 1) })
    const other = encodeRefValue({ replaces: replaces.slice(1) })
    for (const value of [concatBytes(one, one), concatBytes(other, one)]) {
      assert.throws(() => decodeRefValue(value), { code: 'BAD_RECORD' })
    }
    assert.equal(decodeRefValue(concatBytes(one, other)).replaces.length, 2)
  })
})

describe('tombstone', () => {
  /** Ranges of lines with at least one line between two of them. */
  const ranges = fc
    .array(fc.tuple(fc.oneof(fc.nat(3), fc.nat(70_000)), fc.oneof(fc.nat(3), fc.nat(70_000))), {
      minLength: 1,
      maxLength: 5,
    })
    .map((list) => {
      let at = -1
      return list.flatMap(([gap, more]) => {
        const from = at + 1 + gap
        at = from + more + 1
        return [from, at]
      })
    })
  const least = (list: readonly number[]): number => list.at(-1) as number

  it('is written as it always was', () => {
    const example = [5, 6, 9, 12, 300, 70_000]
    assert.deepEqual(decodeRanges(golden('tombstone', encodeRanges(example)), 70_000), example)
  })

  it('comes back, for a run that has the lines', () => {
    holds(
      fc.property(ranges, (list) => {
        assert.deepEqual(decodeRanges(encodeRanges(list), least(list)), list)
        assert.deepEqual(decodeRanges(encodeRanges(list)), list)
        assert.throws(() => decodeRanges(encodeRanges(list), least(list) - 1), { code: 'BAD_RECORD' })
      }),
    )
  })

  it('has one form', () => holdsCanonical((value) => decodeRanges(value), encodeRanges, ranges.map(encodeRanges)))
})

describe('origins', () => {
  const origins = fc
    .array(fc.tuple(fc.oneof(fc.nat(3), fc.nat(70_000)), fc.oneof(fc.nat(3), fc.nat(70_000)), lseq), {
      minLength: 1,
      maxLength: 4,
    })
    .map((list) => {
      let at = 0
      return list.map(([gap, more, first]) => {
        const from = at + gap
        at = from + more + 1
        return { from, to: at, ...first }
      })
    })

  it('are written as they always were', () => {
    const example = [
      { from: 0, to: 1, seq: 41, stream: 0xabcdef },
      { from: 300, to: 70_000, seq: 7, stream: 1 },
    ]
    assert.deepEqual(decodeOrigins(golden('origins', encodeOrigins(example))), example)
  })

  it('come back, and are no tombstone', () => {
    holds(
      fc.property(origins, (list) => {
        assert.deepEqual(decodeOrigins(encodeOrigins(list)), list)
        assert.ok(holdsOrigins(encodeOrigins(list)))
        assert.ok(!holdsOrigins(encodeRanges([0, 1])) && !holdsOrigins(encodeRanges([0, 100_000, 200_000, 2 ** 32])))
      }),
    )
  })

  it('have one form', () => holdsCanonical(decodeOrigins, encodeOrigins, origins.map(encodeOrigins)))

  it('name a line at least, and none twice', () => {
    for (const value of ['', 'o\x07\0\0\0\0\x01\0\0', `o\x08${'\0'.repeat(8)}o\x08${'\0'.repeat(8)}`]) {
      assert.throws(() => decodeOrigins(fromLatin1(value)), { code: 'BAD_RECORD' })
    }
  })
})
