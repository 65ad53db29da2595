// Recovers a secret from plain Shamir shares, y and then x in hexadecimal on
// each line of standard input, and prints it in hexadecimal.
import { readFileSync } from 'node:fs'
import { combine } from 'shamir-secret-sharing'

const shares = readFileSync(0, 'utf8').trim().split('\n').map((line) => new Uint8Array(Buffer.from(line, 'hex')))
console.log(Buffer.from(await combine(shares)).toString('hex'))
