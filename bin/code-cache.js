/**
 * Compiled code, kept between runs: for Node 20, which unlike later versions does not offer that itself.
 *
 * Compiling is a tenth of a short command. What V8 has compiled of the bundle's files by the end of a command's first run
 * that succeeds is written to a file, a file for each command, since each runs other parts of the bundle:
 *
 *     <cache directory>/weft/<digest of the build>-<version of Node>-<architecture>-<command>.bin
 *
 *     | crc32 of what follows (4, little-endian) | length of the index (4, little-endian) | index | code ... |
 *     index   JSON: { "<path within dist>": [start, end] } of a file's code, counted from the end of the index
 *
 * A cache that is missing, damaged or not writable is as good as none: nothing but time depends on it.
 * @see https://nodejs.org/api/vm.html#scriptcreatecacheddata
 * @module
 */
const fs = require('node:fs')
const Module = require('node:module')
const path = require('node:path')
const { Script } = require('node:vm')
const { crc32 } = require('node:zlib')

/** Caches of other builds are removed when they were written so many milliseconds ago. */
const KEEP = 7 * 24 * 60 * 60 * 1000

/**
 * @param {string} dist - Folder of the build.
 * @param {string[]} args - What the program was started with.
 */
exports.keepCode = function keepCode(dist, args) {
  const file = cacheFile(dist, args)
  if (file === undefined) return
  const kept = readCache(file)
  /** @type {Map<string, Script>} */
  const scripts = new Map()
  let news = false

  const compile = Module.prototype._compile
  Module.prototype._compile = function (content, filename) {
    if (!filename.startsWith(dist)) return compile.call(this, content, filename)
    const name = path.relative(dist, filename)
    const script = new Script(Module.wrap(content), { filename, cachedData: kept.get(name) })
    scripts.set(name, script)
    news ||= script.cachedDataRejected !== false
    const run = script.runInThisContext()
    return run.call(this.exports, this.exports, Module.createRequire(filename), this, filename, path.dirname(filename))
  }

  process.on('exit', () => {
    if (news && !process.exitCode)
      writeCache(file, new Map([...kept, ...[...scripts].map(([name, s]) => [name, s.createCachedData()])]))
  })
}

/** Where the cache of a command is; undefined where there can be none, or the user wants none. */
function cacheFile(dist, args) {
  // Both names are Node's own. A run whose coverage is measured must compile everything.
  if (process.env.NODE_DISABLE_COMPILE_CACHE || process.env.NODE_V8_COVERAGE) return undefined
  const { XDG_CACHE_HOME, LOCALAPPDATA, HOME } = process.env
  const home = XDG_CACHE_HOME || LOCALAPPDATA || (HOME && path.join(HOME, '.cache'))
  if (!home) return undefined
  try {
    const { sources, commands } = JSON.parse(fs.readFileSync(path.join(dist, 'build.json'), 'utf8'))
    const command = args.find((arg) => commands.includes(arg)) ?? 'none'
    return path.join(home, 'weft', `${sources.slice(0, 32)}-${process.version}-${process.arch}-${command}.bin`)
  } catch {
    return undefined
  }
}

/** @returns {Map<string, Buffer>} Code by path. */
function readCache(file) {
  const kept = new Map()
  try {
    const bytes = fs.readFileSync(file)
    if (bytes.readUInt32LE(0) !== crc32(bytes.subarray(4))) return kept
    const end = 8 + bytes.readUInt32LE(4)
    const index = JSON.parse(bytes.toString('utf8', 8, end))
    for (const [name, [from, to]] of Object.entries(index)) kept.set(name, bytes.subarray(end + from, end + to))
  } catch {
    // Not there, or not whole.
  }
  return kept
}

/** Writes the file beside its place and renames it, so that nobody reads half of it. */
function writeCache(file, code) {
  try {
    const index = {}
    let end = 0
    for (const [name, bytes] of code) {
      index[name] = [end, end + bytes.length]
      end += bytes.length
    }
    const text = Buffer.from(JSON.stringify(index))
    const length = Buffer.alloc(4)
    length.writeUInt32LE(text.length)
    const body = Buffer.concat([length, text, ...code.values()])
    const sum = Buffer.alloc(4)
    sum.writeUInt32LE(crc32(body))
    const dir = path.dirname(file)
    fs.mkdirSync(dir, { recursive: true, mode: 0o700 })
    const draft = `${file}.${process.pid}`
    fs.writeFileSync(draft, Buffer.concat([sum, body]), { mode: 0o600 })
    fs.renameSync(draft, file)
    for (const name of fs.readdirSync(dir)) {
      const other = path.join(dir, name)
      if (Date.now() - fs.statSync(other).mtimeMs > KEEP) fs.unlinkSync(other)
    }
  } catch {
    // Not writable: the next run compiles again.
  }
}
