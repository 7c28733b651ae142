/**
 * Headers of versions, and version entries: what is hashed and signed has one form.
 * @module
 */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { fromLatin1, toHex, toLatin1 } from '../src/base/bytes.js'
import { defaultCrypto as crypto } from '../src/crypto/default.js'
import { extraOf } from '../src/history/extra.js'
import {
  decodeHeader,
  decodeRef,
  decodeVersion,
  encodeHeader,
  encodeRef,
  encodeVersion,
  type Header,
  type Ident,
  type VersionRef,
} from '../src/history/header.js'
import { decodeNote, encodeNote } from '../src/history/note.js'
import { SEQ_LIMIT } from '../src/lseq/lseq.js'
import { TlvWriter } from '../src/rdx/tlv.js'
import { zipPair, zipUint } from '../src/rdx/zip.js'
import { holdsCanonical } from './support/canonical.js'
import { golden } from './support/golden.js'
import { plain } from './support/plain.js'
import { anyBytes, holds } from './support/property.js'

const hash = (byte: number): Uint8Array => new Uint8Array(32).fill(byte)
const seq = fc.oneof(fc.nat(1000), fc.integer({ min: 1, max: SEQ_LIMIT - 2 }))
const stream = fc.constantFrom(1, 2, 0xabcdef)
const digest = fc.nat(255).map(hash)
const ref: fc.Arbitrary<VersionRef> = fc.record({ seq, stream, id: digest }, { noNullPrototype: true })
const ident: fc.Arbitrary<Ident> = fc.record(
  {
    name: anyBytes(300),
    email: anyBytes(20),
    time: fc.oneof(fc.integer({ min: -(2 ** 52), max: 2 ** 52 - 1 }), fc.constantFrom(0, -1, 1_700_000_000)),
    zone: fc.integer({ min: -6000, max: 6000 }),
  },
  { noNullPrototype: true },
)
const extra = fc
  .uniqueArray(fc.tuple(fc.string({ unit: fc.constantFrom('a', 'b', '\xff'), maxLength: 3 }), anyBytes(10)), {
    selector: ([name]) => name,
    maxLength: 3,
  })
  .map((pairs) => pairs.map(([name, value]) => ({ name, value })).sort((a, b) => (a.name < b.name ? -1 : 1)))

/** Headers as writers make them: the version before is often the first parent, and always of the same stream. */
const headers: fc.Arbitrary<Header> = fc
  .record({
    first: fc.integer({ min: 1, max: SEQ_LIMIT - 2000 }),
    more: fc.nat(1000),
    prev: ref,
    parents: fc.array(ref, { maxLength: 3 }),
    follows: fc.boolean(),
    tree: fc.option(digest, { nil: undefined }),
    changes: digest,
    author: ident,
    committer: ident,
    extra,
  })
  .map(({ first, more, follows, prev, parents, ...rest }) => ({
    ...rest,
    stream: prev.stream,
    first,
    last: first + more,
    prev,
    parents: follows ? [prev, ...parents] : parents,
  }))

/** Everything that a header can have. */
const EXAMPLE: Header = {
  stream: 0xabcdef,
  first: 41,
  last: 1041,
  prev: { seq: 40, stream: 0xabcdef, id: hash(1) },
  parents: [
    { seq: 30, stream: 0x000102, id: hash(2) },
    { seq: 40, stream: 0xabcdef, id: hash(1) },
  ],
  tree: hash(3),
  changes: hash(4),
  author: { name: fromLatin1('Ana'), email: fromLatin1('ana@example.org'), time: 1_677_657_600, zone: 60 },
  committer: { name: fromLatin1('caf\xe9'), email: fromLatin1(''), time: -1, zone: -210 },
  extra: [{ name: 'git', value: Uint8Array.of(1, 2, 3) }],
}

describe('header', () => {
  it('is written as it always was', () => {
    const bytes = golden('header', encodeHeader(EXAMPLE))
    assert.deepEqual(plain(decodeHeader(bytes)), plain(EXAMPLE))
  })

  it('of a refs stream is written as it always was', () => {
    const first = { ...EXAMPLE, parents: [], tree: undefined, extra: [] }
    const bytes = golden('header of a refs stream', encodeHeader(first))
    assert.deepEqual(plain(decodeHeader(bytes)), plain(first))
  })

  it('comes back', () => {
    holds(
      fc.property(headers, (header) => {
        assert.deepEqual(plain(decodeHeader(encodeHeader(header))), plain(header))
      }),
      500,
    )
  })

  it('has one form', () => {
    holdsCanonical(decodeHeader, encodeHeader, headers.map(encodeHeader), {
      codes: ['BAD_RECORD', 'FORMAT_NEWER'],
      runs: 4000,
    })
  })

  it('does not repeat its first parent as the version before it', () => {
    const { prev } = EXAMPLE
    const once = encodeHeader({ ...EXAMPLE, parents: [prev] })
    const at = toLatin1(once).indexOf('p\x28')
    const twice = new TlvWriter().raw(once.subarray(0, at)).record('B', encodeRef(prev)).raw(once.subarray(at)).copy()
    assert.throws(() => decodeHeader(twice), { code: 'BAD_RECORD' })
  })

  it('keeps extra records by name', () => {
    const header = { ...EXAMPLE, extra: ['a', 'b'].map((name) => ({ name, value: fromLatin1(`value of ${name}`) })) }
    const decoded = decodeHeader(encodeHeader(header))
    assert.equal(toLatin1(extraOf(decoded, 'b') as Uint8Array), 'value of b')
    assert.equal(extraOf(decoded, 'c'), undefined)
  })

  const without = encodeHeader(EXAMPLE).subarray(3)
  const refused: [name: string, bytes: Uint8Array, code: string][] = [
    ['nothing', new Uint8Array(0), 'BAD_RECORD'],
    ['a newer format', new TlvWriter().record('V', zipUint(2)).raw(without).copy(), 'FORMAT_NEWER'],
    ['format 0', new TlvWriter().record('V', zipUint(0)).raw(without).copy(), 'FORMAT_NEWER'],
    ['another version of another stream before it', refWith({ prev: { ...EXAMPLE.prev, stream: 7 } }), 'BAD_RECORD'],
    ['no version before it', headed(zipPair(1, 0)), 'BAD_RECORD'],
    ['seq 0', refWith({ first: 0, last: 3 }), 'BAD_RECORD'],
    ['seqs beyond the clock', refWith({ first: SEQ_LIMIT - 1, last: SEQ_LIMIT }), 'BAD_RECORD'],
    ['a tree root that is short', refWith({ tree: new Uint8Array(31) }), 'BAD_RECORD'],
    ['a changes root that is long', refWith({ changes: new Uint8Array(33) }), 'BAD_RECORD'],
    ['extra records out of order', refWith({ extra: extras('b', 'a') }), 'BAD_RECORD'],
    ['an extra record twice', refWith({ extra: extras('a', 'a') }), 'BAD_RECORD'],
  ]
  function refWith(other: Partial<Header>): Uint8Array {
    return encodeHeader({ ...EXAMPLE, ...other })
  }
  function extras(...names: string[]): Header['extra'] {
    return names.map((name) => ({ name, value: new Uint8Array(0) }))
  }
  /** A header of which nothing follows its seqs. */
  function headed(seqs: Uint8Array): Uint8Array {
    return new TlvWriter().record('V', zipUint(1)).record('S', new Uint8Array(3)).record('Q', seqs).copy()
  }
  for (const [name, bytes, code] of refused) {
    it(`refuses ${name}`, () => assert.throws(() => decodeHeader(bytes), { name: 'CodedError', code }))
  }
})

describe('version entry', () => {
  const signature = new Uint8Array(64).fill(9)

  it('is written as it always was, and knows its id', () => {
    const headerBytes = encodeHeader(EXAMPLE)
    const version = decodeVersion(golden('version', encodeVersion(headerBytes, signature)))
    assert.equal(toHex(version.id), toHex(crypto.sha256(headerBytes)))
    assert.equal(toHex(version.headerBytes), toHex(headerBytes))
    assert.equal(toHex(version.signature), toHex(signature))
    assert.equal(version.last, EXAMPLE.last)
  })

  it('has one form', () => {
    holdsCanonical(
      decodeVersion,
      (version) => {
        assert.equal(toHex(encodeHeader(version)), toHex(version.headerBytes))
        return encodeVersion(version.headerBytes, version.signature)
      },
      headers.map((header) => encodeVersion(encodeHeader(header), signature)),
      { codes: ['BAD_RECORD', 'FORMAT_NEWER'], runs: 1500 },
    )
  })

  it('has a signature of 64 bytes', () => {
    for (const length of [0, 63, 65]) {
      const value = encodeVersion(encodeHeader(EXAMPLE), new Uint8Array(length))
      assert.throws(() => decodeVersion(value), { code: 'BAD_RECORD' })
    }
  })

  it('is named in 40 bytes', () => {
    const bytes = encodeRef(EXAMPLE.prev)
    assert.equal(toHex(bytes), `0000000028abcdef${'01'.repeat(32)}`)
    assert.deepEqual(plain(decodeRef(bytes)), plain(EXAMPLE.prev))
    for (const length of [0, 39, 41]) assert.throws(() => decodeRef(new Uint8Array(length)), { code: 'BAD_RECORD' })
  })
})

describe('note', () => {
  const notes = fc.record({ message: anyBytes(300), extra }, { noNullPrototype: true })
  const note = { message: fromLatin1('Hello\n'), extra: [{ name: 'git', value: Uint8Array.of(1, 2, 3) }] }

  it('is written as it always was', () => {
    assert.deepEqual(plain(decodeNote(golden('note', encodeNote(note) as Uint8Array))), plain(note))
  })

  it('comes back, and is none where nothing is said', () => {
    holds(
      fc.property(notes, (said) => {
        const bytes = encodeNote(said)
        if (bytes !== undefined) assert.deepEqual(plain(decodeNote(bytes)), plain(said))
        assert.equal(bytes === undefined, said.message.length + said.extra.length === 0)
      }),
    )
    assert.throws(() => decodeNote(new TlvWriter().record('M', new Uint8Array(0)).copy()), { code: 'BAD_RECORD' })
  })

  it('has one form', () => {
    const valid = notes.map(encodeNote).filter((bytes) => bytes !== undefined)
    holdsCanonical(decodeNote, (said) => encodeNote(said) as Uint8Array, valid)
  })
})
