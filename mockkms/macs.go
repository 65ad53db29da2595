// SPDX-License-Identifier: Apache-2.0

package mockkms

type generateMacRequest struct {
	aboutKey
	Message      []byte `shape:"PlaintextType,required"`
	MacAlgorithm string `shape:"MacAlgorithmSpec,required"`
	canRehearse
}

type generateMacAnswer struct {
	Mac          []byte
	MacAlgorithm string
	KeyId        string
}

func generateMac(_ *call, k *key, r *generateMacRequest) (*generateMacAnswer, error) {
	o, err := k.openFor(r.MacAlgorithm)
	if err != nil {
		return nil, err
	}
	mac, err := o.MAC(r.MacAlgorithm, r.Message)
	if err != nil {
		return nil, refusalOf(err)
	}
	return &generateMacAnswer{mac, r.MacAlgorithm, k.arn()}, nil
}

type verifyMacRequest struct {
	aboutKey
	Message      []byte `shape:"PlaintextType,required"`
	MacAlgorithm string `shape:"MacAlgorithmSpec,required"`
	Mac          []byte `shape:"CiphertextType,required"`
	canRehearse
}

type verifyMacAnswer struct {
	KeyId        string
	MacValid     bool // never false: that is KMSInvalidMacException (recorded)
	MacAlgorithm string
}

func verifyMac(_ *call, k *key, r *verifyMacRequest) (*verifyMacAnswer, error) {
	o, err := k.openFor(r.MacAlgorithm)
	if err != nil {
		return nil, err
	}
	if err := o.VerifyMAC(r.MacAlgorithm, r.Message, r.Mac); err != nil {
		return nil, refusalOf(err)
	}
	return &verifyMacAnswer{k.arn(), true, r.MacAlgorithm}, nil
}
