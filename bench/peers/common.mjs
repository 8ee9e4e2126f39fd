// What both Node peers get alike: SQLite as our own engine sets it, and argon2id at our parameters.

import argon2 from "@node-rs/argon2";
import Database from "better-sqlite3";

const COST = { algorithm: argon2.Algorithm.Argon2id, memoryCost: 19456, timeCost: 2, parallelism: 1 };

export const hash = (password) => argon2.hash(password, COST);
export const verify = (hashed, password) => argon2.verify(hashed, password);

export function database(file) {
  const database = new Database(file);
  database.pragma("journal_mode = WAL");
  database.pragma("synchronous = FULL");
  return database;
}
