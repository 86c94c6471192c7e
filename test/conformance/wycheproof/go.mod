module keyhold.example/wycheproof

go 1.26.4

// Its JSON files are read by wycheproof.test.ts; no Go program is made of it.
require github.com/c2sp/wycheproof v0.0.0-20260902155932-3fa63dd0344a
