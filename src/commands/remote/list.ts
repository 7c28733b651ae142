import { BaseCommand } from '../../cli/command.js'
import { formatRemotes, listedRemote } from '../../cli/format-remote.js'
import { findRoot } from '../../repo/layout.js'

/** `weft remote list`. */
export default class RemoteList extends BaseCommand {
  static override summary = 'List the remotes'
  static override examples = ['<%= config.bin %> <%= command.id %>']

  async run(): Promise<void> {
    await this.parse(RemoteList)
    const { readRemotes } = await import('../../sync/remotes.js')
    await this.answer(readRemotes(await findRoot(process.cwd())).map(listedRemote), formatRemotes)
  }
}
