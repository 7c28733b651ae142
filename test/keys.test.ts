/**
 * Keys: their bytes, their order, and what of them is the subject.
 * @module
 */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { compareBytes, concatBytes, fromLatin1, startsWith, toHex, toLatin1 } from '../src/base/bytes.js'
import { CodedError } from '../src/base/error.js'
import { idKey, vectorKey } from '../src/history/derived.js'
import {
  chunkKey,
  chunkPrefix,
  FILE_PREFIX_BYTES,
  genesisKey,
  groupsKey,
  KINDS,
  type Kind,
  kindRange,
  linesPrefix,
  noteKey,
  pathKey,
  pathPrefix,
  prefixRange,
  recipePrefix,
  refKey,
  subjectLength,
  tombstoneKey,
  versionKey,
  withLseq,
} from '../src/history/keys.js'
import { encodeLseq, LSEQ_BYTES, lseqOfKey } from '../src/lseq/lseq.js'
import { anyBytes, holds } from './support/property.js'

const SEQ = 0x0102030405
const STREAM = 0x0a0b0c
const LSEQ = '01020304050a0b0c'
const FILE = { seq: 0x29, stream: 0xabcdef }
const FILE_HEX = '0000000029abcdef'
const HASH = '\xee'.repeat(32)
const run = fromLatin1(`\x80${'\x07'.repeat(8)}`)
const hex = (text: string): string => toHex(fromLatin1(text))

/** A key of every shape, its bytes, and how many of them name its group. */
const KEYS: [name: string, key: Uint8Array, bytes: string, subject: number][] = [
  ['genesis', genesisKey(STREAM), `${hex('K')}00000000000a0b0c`, 0],
  ['version', versionKey(SEQ, STREAM), `${hex('V')}${LSEQ}`, 0],
  ['groups', groupsKey(SEQ, STREAM), `${hex('G')}${LSEQ}`, 0],
  ['note', noteKey(SEQ, STREAM), `${hex('N')}${LSEQ}`, 1],
  ['path', pathKey('a/caf\xe9', SEQ, STREAM), `${hex('Pa/caf\xe9\0')}${LSEQ}`, 7],
  ['run', concatBytes(linesPrefix(FILE), run), `${hex('L')}${FILE_HEX}80${'07'.repeat(8)}`, 9],
  [
    'tombstone',
    tombstoneKey(linesPrefix(FILE), run, SEQ, STREAM),
    `${hex('L')}${FILE_HEX}80${'07'.repeat(8)}00${LSEQ}`,
    9,
  ],
  ['recipe', withLseq(recipePrefix(FILE), SEQ, STREAM), `${hex('B')}${FILE_HEX}${LSEQ}`, 9],
  ['chunk', chunkKey(HASH, SEQ, STREAM), `${hex('C')}${'ee'.repeat(32)}${LSEQ}`, 33],
  ['branch', refKey('b', 'main', SEQ, STREAM), `${hex('Rbmain\0')}${LSEQ}`, 6],
  ['snapshot', refKey('s', 'x', SEQ, STREAM), `${hex('Rsx\0')}${LSEQ}`, 3],
  ['index of ids', idKey('g', fromLatin1(HASH), SEQ, STREAM), `${hex('Ig')}${'ee'.repeat(8)}${LSEQ}`, 0],
  ['kept vector', vectorKey(SEQ, STREAM), `${hex('X')}${LSEQ}`, 0],
]

describe('keys', () => {
  for (const [name, key, bytes, subject] of KEYS) {
    it(`${name}: ${bytes}`, () => {
      assert.equal(toHex(key), bytes)
      assert.equal(subjectLength(key), subject)
      if (name !== 'genesis' && name !== 'run') assert.deepEqual(lseqOfKey(key), { seq: SEQ, stream: STREAM })
    })
  }

  it('there is one of every kind here', () => {
    const kinds = new Set(KEYS.map(([, key]) => String.fromCharCode(key[0] as number)))
    assert.deepEqual([...kinds].sort(), Object.keys(KINDS))
  })

  it('begin with the prefix of what they are about', () => {
    assert.ok(startsWith(pathKey('a', SEQ, STREAM), pathPrefix('a')))
    assert.ok(!startsWith(pathKey('ab', SEQ, STREAM), pathPrefix('a')))
    assert.ok(startsWith(chunkKey(HASH, SEQ, STREAM), chunkPrefix(HASH)))
    assert.equal(linesPrefix(FILE).length, FILE_PREFIX_BYTES)
  })
})

describe('keys: order', () => {
  it('of paths is that of their names, and within one path that of lseqs', () => {
    const path = fc.string({ unit: fc.constantFrom('a', 'b', '/', '\x01', '0', '\xff'), minLength: 1, maxLength: 4 })
    const write = fc.tuple(path, fc.nat(300), fc.nat(3))
    holds(
      fc.property(write, write, ([p, seq, stream], [q, otherSeq, otherStream]) => {
        const order = Math.sign(compareBytes(pathKey(p, seq, stream), pathKey(q, otherSeq, otherStream)))
        const expected = p === q ? Math.sign(seq - otherSeq || stream - otherStream) : p < q ? -1 : 1
        assert.equal(order, expected)
      }),
      500,
    )
  })

  it('puts the tombstones of a run right behind it, before all that is inside', () => {
    const prefix = linesPrefix(FILE)
    const keys = [
      concatBytes(prefix, run),
      tombstoneKey(prefix, run, 1, 1),
      tombstoneKey(prefix, run, 2 ** 40 - 1, 0xffffff),
      concatBytes(prefix, run, Uint8Array.of(1, 1), encodeLseq(1, 1)),
      concatBytes(prefix, Uint8Array.of(0x81), encodeLseq(1, 1)),
    ]
    assert.deepEqual(keys.toSorted(compareBytes).map(toHex), keys.map(toHex))
  })
})

describe('keys: ranges', () => {
  it('hold what begins with a prefix, and nothing else', () => {
    const near = fc.uint8Array({ min: 253, maxLength: 4 })
    const bytes = fc.oneof(anyBytes(4), near)
    holds(
      fc.property(bytes, bytes, bytes, fc.boolean(), (prefix, other, rest, inside) => {
        const key = inside ? concatBytes(prefix, rest) : other
        const { gte, lt } = prefixRange(prefix)
        const isIn = compareBytes(gte, key) <= 0 && (lt === undefined || compareBytes(key, lt) < 0)
        assert.equal(isIn, startsWith(key, prefix))
      }),
      1000,
    )
  })

  it('of a kind hold all keys of it, and no others', () => {
    for (const kind of Object.keys(KINDS) as Kind[]) {
      const { gte, lt } = kindRange(kind)
      for (const [, key] of KEYS) {
        const isIn = compareBytes(gte, key) <= 0 && lt !== undefined && compareBytes(key, lt) < 0
        assert.equal(isIn, toLatin1(key, 0, 1) === kind)
      }
    }
  })
})

describe('keys: subjects', () => {
  const refused: [name: string, key: string][] = [
    ['nothing', ''],
    ['a kind that is none', `Y${'\0'.repeat(8)}`],
    ['a kind in lower case', `k${'\0'.repeat(8)}`],
    ['a genesis that is too long', `K${'\0'.repeat(9)}`],
    ['a version that is too short', `V${'\0'.repeat(7)}`],
    ['a run without digits', `L${'\0'.repeat(16)}`],
    ['a recipe that is too long', `B${'\0'.repeat(17)}`],
    ['a chunk that is too short', `C${'\0'.repeat(39)}`],
    ['a path without a name', `P\0${'\x01'.repeat(8)}`],
    ['a path without its end', `Pabc${'\x01'.repeat(8)}`],
    ['a path with a NUL in it', `Pa\0b\0${'\x01'.repeat(8)}`],
    ['a path of which the lseq is cut off', 'Pa\0'],
    ['a ref without its end', `Rbmain${'\x01'.repeat(8)}`],
    ['a ref without a name', `Rb\0${'\x01'.repeat(8)}`],
    ['a ref of no known kind', `Rxmain\0${'\x01'.repeat(8)}`],
  ]
  for (const [name, key] of refused) {
    it(`are not in ${name}`, () => {
      assert.throws(() => subjectLength(fromLatin1(key)), { name: 'CodedError', code: 'BAD_KEY' })
    })
  }

  it('are found in any bytes, or the bytes are refused', () => {
    const letter = fc.constantFrom(...'BCGIKLPRVXY').map(fromLatin1)
    const body = fc.oneof(anyBytes(45), fc.uint8Array({ max: 1, maxLength: 45 }))
    holds(
      fc.property(letter, body, (kind, rest) => {
        const key = concatBytes(kind, rest)
        try {
          const subject = subjectLength(key)
          assert.ok(subject === 0 || (subject >= 2 && subject <= key.length - LSEQ_BYTES))
        } catch (error) {
          assert.ok(error instanceof CodedError && error.code === 'BAD_KEY', String(error))
        }
      }),
      2000,
    )
  })
})
