package main

import "testing"

func TestTransactionsFromTheCommandLine(t *testing.T) {
	p := startServe(t, "--auth", "off", "--data", t.TempDir()).listening()
	want(t, 0, "sent 10 ", "producer", "--url=tcp://"+p.address, "--messageCount=10", "--transactionBatchSize=5")
	at := "--http=" + p.web
	want(t, 0, `(?s)BRANCH +STATE +SINCE +SENT +CONSUMED +CONNECTION\n\nCOMMITTED +TIME +CONNECTION\n`+
		`TX:ID:\S+ +\d{4}-\S+Z +ID:\S+\nTX:ID:\S+ +\d{4}-\S+Z +ID:\S+\n$`, "transactions", "list", at)
	want(t, 1, "is no transaction's name", "transactions", "commit", "first", at)
	want(t, 1, "Transaction 'XID:\\[1,globalId=0a,branchId=\\]' has not been started", "transactions", "rollback", "XID:[1,globalId=0a,branchId=]", at)
	want(t, 1, "was decided by nobody", "transactions", "forget", "XID:[1,globalId=0a,branchId=]", at)
	p.terminate()
}

func TestTransactionsNeedAUser(t *testing.T) {
	p := startServe(t, "--data", t.TempDir()).listening()
	want(t, 1, "twinmesh-broker: ", "transactions", "list", "--user=admin", "--http="+p.web)
	p.terminate()
}
