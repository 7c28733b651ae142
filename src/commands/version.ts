import { BaseCommand } from '../cli/command.js'
import { NAME, VERSION } from '../cli/settings.js'

/** `weft version`: which weft this is. */
export default class Version extends BaseCommand {
  static override summary = 'Show the version of weft'
  static override examples = ['<%= config.bin %> <%= command.id %>', '<%= config.bin %> <%= command.id %> --json']

  async run(): Promise<void> {
    await this.parse(Version)
    const { platform, arch } = process
    const value = { name: NAME, version: VERSION, node: process.versions.node, platform, arch }
    await this.answer(value, (v) => `weft ${v.version} (${v.platform} ${v.arch}, Node ${v.node})\n`)
  }
}
