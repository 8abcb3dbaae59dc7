package devbroker

import (
	"encoding/binary"
	"fmt"

	"github.com/twmb/franz-go/pkg/kmsg"
)

// refuse makes the answer to a request that carries an error code wherever the
// protocol has a place for one.
func refuse(frame []byte, code int16) ([]byte, error) {
	key := int16(binary.BigEndian.Uint16(frame[4:]))
	request := kmsg.RequestForKey(key)
	if request == nil {
		return nil, fmt.Errorf("refuse request: unknown api key %d", key)
	}
	request.SetVersion(int16(binary.BigEndian.Uint16(frame[6:])))
	body := frame[frameHeader:]
	if n := int16(binary.BigEndian.Uint16(body)); n > 0 { // client id
		body = body[n:]
	}
	body = body[2:]
	if request.IsFlexible() {
		body = body[1:] // no tags
	}
	if err := request.ReadFrom(body); err != nil {
		return nil, fmt.Errorf("refuse request with key %d: %w", key, err)
	}
	response := request.ResponseKind()
	response.SetVersion(request.GetVersion())
	if err := fill(response, request, code); err != nil {
		return nil, err
	}
	answer := append(make([]byte, 4, 64), frame[8:12]...)
	if response.IsFlexible() && key != 18 {
		answer = append(answer, 0)
	}
	answer = response.AppendTo(answer)
	binary.BigEndian.PutUint32(answer, uint32(len(answer)-4))
	return answer, nil
}

func fill(response kmsg.Response, request kmsg.Request, code int16) error {
	switch r := response.(type) {
	case *kmsg.FindCoordinatorResponse:
		r.ErrorCode, r.NodeID = code, -1
	case *kmsg.InitProducerIDResponse:
		r.ErrorCode, r.ProducerID, r.ProducerEpoch = code, -1, -1
	case *kmsg.AddOffsetsToTxnResponse:
		r.ErrorCode = code
	case *kmsg.EndTxnResponse:
		r.ErrorCode = code
	case *kmsg.HeartbeatResponse:
		r.ErrorCode = code
	case *kmsg.JoinGroupResponse:
		r.ErrorCode = code
	case *kmsg.SyncGroupResponse:
		r.ErrorCode = code
	case *kmsg.LeaveGroupResponse:
		r.ErrorCode = code
	default:
		return fillTopics(response, request, code)
	}
	return nil
}

func fillTopics(response kmsg.Response, request kmsg.Request, code int16) error {
	switch r := response.(type) {
	case *kmsg.CreateTopicsResponse:
		for _, t := range request.(*kmsg.CreateTopicsRequest).Topics {
			r.Topics = append(r.Topics, kmsg.CreateTopicsResponseTopic{Topic: t.Topic, ErrorCode: code})
		}
	case *kmsg.DescribeConfigsResponse:
		for _, c := range request.(*kmsg.DescribeConfigsRequest).Resources {
			r.Resources = append(r.Resources, kmsg.DescribeConfigsResponseResource{ErrorCode: code, ResourceType: c.ResourceType, ResourceName: c.ResourceName})
		}
	case *kmsg.OffsetFetchResponse:
		r.ErrorCode = code
	case *kmsg.TxnOffsetCommitResponse:
		for _, t := range request.(*kmsg.TxnOffsetCommitRequest).Topics {
			topic := kmsg.TxnOffsetCommitResponseTopic{Topic: t.Topic}
			for _, p := range t.Partitions {
				topic.Partitions = append(topic.Partitions, kmsg.TxnOffsetCommitResponseTopicPartition{Partition: p.Partition, ErrorCode: code})
			}
			r.Topics = append(r.Topics, topic)
		}
	case *kmsg.OffsetCommitResponse:
		for _, t := range request.(*kmsg.OffsetCommitRequest).Topics {
			topic := kmsg.OffsetCommitResponseTopic{Topic: t.Topic}
			for _, p := range t.Partitions {
				topic.Partitions = append(topic.Partitions, kmsg.OffsetCommitResponseTopicPartition{Partition: p.Partition, ErrorCode: code})
			}
			r.Topics = append(r.Topics, topic)
		}
	default:
		return fillPartitions(response, request, code)
	}
	return nil
}

func fillPartitions(response kmsg.Response, request kmsg.Request, code int16) error {
	switch r := response.(type) {
	case *kmsg.ProduceResponse:
		for _, t := range request.(*kmsg.ProduceRequest).Topics {
			topic := kmsg.ProduceResponseTopic{Topic: t.Topic}
			for _, p := range t.Partitions {
				topic.Partitions = append(topic.Partitions, kmsg.ProduceResponseTopicPartition{Partition: p.Partition, ErrorCode: code, BaseOffset: -1})
			}
			r.Topics = append(r.Topics, topic)
		}
	case *kmsg.FetchResponse:
		for _, t := range request.(*kmsg.FetchRequest).Topics {
			topic := kmsg.FetchResponseTopic{Topic: t.Topic}
			for _, p := range t.Partitions {
				topic.Partitions = append(topic.Partitions, kmsg.FetchResponseTopicPartition{Partition: p.Partition, ErrorCode: code})
			}
			r.Topics = append(r.Topics, topic)
		}
	case *kmsg.AddPartitionsToTxnResponse:
		for _, t := range request.(*kmsg.AddPartitionsToTxnRequest).Topics {
			topic := kmsg.AddPartitionsToTxnResponseTopic{Topic: t.Topic}
			for _, p := range t.Partitions {
				topic.Partitions = append(topic.Partitions, kmsg.AddPartitionsToTxnResponseTopicPartition{Partition: p, ErrorCode: code})
			}
			r.Topics = append(r.Topics, topic)
		}
	default:
		return fmt.Errorf("refuse request with key %d: no place for an error code is known", request.Key())
	}
	return nil
}
