/**
 * Addresses and remotes.
 */
import assert from 'node:assert/strict'
import { mkdirSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { parsePeerUrl } from '../src/sync/peer-url.js'
import { addRemote, findRemote, readRemotes, remoteFor, removeRemote } from '../src/sync/remotes.js'
import { temporary } from './support/temp.js'

describe('an address', () => {
  const from = temporary('from')
  mkdirSync(join(from, 'repo'))
  writeFileSync(join(from, 'all.weft'), '')

  it('is a directory or a bundle where there is one', () => {
    assert.deepEqual(parsePeerUrl('repo', from), { kind: 'directory', path: join(from, 'repo') })
    assert.deepEqual(parsePeerUrl('./all.weft', from), { kind: 'bundle', path: join(from, 'all.weft') })
    assert.deepEqual(parsePeerUrl(`file://${from}/repo`, '/'), { kind: 'directory', path: join(from, 'repo') })
  })

  it('is a host and a path over ssh', () => {
    const ssh = (text: string) => parsePeerUrl(text, from)
    assert.deepEqual(ssh('ssh://ana@host:2222/srv/a%20b'), {
      kind: 'ssh',
      host: 'ana@host',
      port: '2222',
      path: '/srv/a b',
    })
    assert.deepEqual(ssh('ssh://host/~/work'), { kind: 'ssh', host: 'host', port: undefined, path: 'work' })
  })

  it('never becomes an option of another program', () => {
    for (const text of [
      'ssh://-oProxyCommand=x/path',
      'ssh://-x@host/path',
      'ssh://host/~/-x',
      'ssh://host',
      'ssh:///x',
    ]) {
      assert.throws(() => parsePeerUrl(text, from), { code: 'REMOTE_BAD' }, text)
    }
  })

  it('of another kind is refused, with a hint for what was meant', () => {
    assert.throws(() => parsePeerUrl('ftp://host/x', from), { code: 'REMOTE_BAD' })
    assert.throws(() => parsePeerUrl('git@host:project', from), {
      code: 'REMOTE_NOT_FOUND',
      hint: 'For a path on another machine write ssh://git@host/~/project.',
    })
    assert.throws(() => parsePeerUrl('nowhere', from), { code: 'REMOTE_NOT_FOUND' })
  })
})

describe('remotes', () => {
  function repository(): string {
    const root = temporary('root')
    mkdirSync(join(root, '.weft'))
    return root
  }

  it('are remembered, in order, for their owner only', () => {
    const root = repository()
    assert.deepEqual(readRemotes(root), [])
    addRemote(root, { name: 'origin', url: 'http://host/a', token: 'secret' })
    addRemote(root, { name: 'b', url: '/srv/b' })
    assert.deepEqual(readRemotes(root), [
      { name: 'origin', url: 'http://host/a', token: 'secret' },
      { name: 'b', url: '/srv/b' },
    ])
    if (process.platform !== 'win32') assert.equal(statSync(join(root, '.weft', 'remotes')).mode & 0o777, 0o600)
    assert.deepEqual(removeRemote(root, 'origin'), { name: 'origin', url: 'http://host/a', token: 'secret' })
    assert.deepEqual(readRemotes(root), [{ name: 'b', url: '/srv/b' }])
  })

  it('have names of their own', () => {
    const root = repository()
    addRemote(root, { name: 'a', url: '/a' })
    assert.throws(() => addRemote(root, { name: 'a', url: '/b' }), { code: 'NAME_TAKEN' })
    for (const name of ['', '-x', 'a/b', 'a b', '.x', 'x'.repeat(65)]) {
      assert.throws(() => addRemote(root, { name, url: '/b' }), { code: 'NAME_BAD' }, name)
    }
    assert.throws(() => findRemote(root, 'b'), { code: 'REMOTE_UNKNOWN', hint: 'There are: a.' })
    assert.throws(() => removeRemote(root, 'b'), { code: 'REMOTE_UNKNOWN' })
  })

  it('are found: named, an address, origin, or the only one', () => {
    const root = repository()
    assert.throws(() => remoteFor(root, undefined), { code: 'REMOTE_NONE' })
    addRemote(root, { name: 'a', url: '/a' })
    assert.equal(remoteFor(root, undefined).url, '/a')
    addRemote(root, { name: 'b', url: '/b' })
    assert.throws(() => remoteFor(root, undefined), { code: 'REMOTE_NONE' })
    addRemote(root, { name: 'origin', url: '/o' })
    assert.equal(remoteFor(root, undefined).url, '/o')
    assert.equal(remoteFor(root, 'b').url, '/b')
    assert.deepEqual(remoteFor(root, '../x'), { name: '../x', url: '../x' })
    assert.throws(() => remoteFor(root, 'x'), { code: 'REMOTE_UNKNOWN' })
  })

  it('that cannot be read are an error, not none', () => {
    const root = repository()
    for (const text of ['{', '[1]', '{"a": 1}', '{"a": {"url": 1}}']) {
      writeFileSync(join(root, '.weft', 'remotes'), text)
      assert.throws(() => readRemotes(root), { code: 'CONFIG_BAD' }, text)
    }
  })
})
